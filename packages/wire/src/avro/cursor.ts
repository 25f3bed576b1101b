import { SchemaError } from '../errors.ts';
import { decodeText, splitText } from '../values/text.ts';
import { LEAF_TYPE, type LeafLayout, layouts, type Shape } from './layout.ts';
import type { BooleanLeaf, BytesLeaf, FixedLeaf, LongLeaf } from './leaf.ts';

const MAX_LEAVES = 64;

/** Zigzag form of 2^53 - 2, the largest number that avsc writes: each number that is read can be written again. */
const MAX_WIDE = 2 * (Number.MAX_SAFE_INTEGER - 1);

/**
 * Reads Avro primitives and events in place. One cursor serves all events of all batches, and allocates nothing until a
 * text is read. Checks every length against the end of the buffer before it is used.
 */
export class EventCursor {
  buffer: Buffer = Buffer.alloc(0);
  at = 0;

  lane = 0;
  cpu = 0;
  sequence = 0;
  /** µs, CLOCK_BOOTTIME */
  ktime = 0;
  late = false;
  tgid = 0;
  tid = 0;
  /** offset of the 8 bytes of `start` in `buffer` */
  startAt = 0;
  cgroupAt = 0;
  execId = 0;
  /** branch of the union `body`, see KIND */
  kind = 0;
  /** start of the encoded event in `buffer` */
  eventAt = 0;
  /** its end, exclusive */
  eventEnd = 0;
  bodyAt = 0;

  #located = false;
  #textAt = -1;
  #text = '';
  #textsAt = -1;
  #texts: readonly string[] = [];
  readonly #offsets = new Int32Array(MAX_LEAVES);
  readonly #lengths = new Int32Array(MAX_LEAVES);

  reset(buffer: Buffer, at = 0): void {
    this.buffer = buffer;
    this.at = at;
    this.#located = false;
    this.#textAt = -1;
    this.#textsAt = -1;
  }

  /** Reads an Avro int or long. Fast path: most have one byte. */
  long(): number {
    const byte = this.buffer[this.at];
    if (byte === undefined || byte >= 0x80) return this.#longer();
    this.at++;
    return (byte >>> 1) ^ -(byte & 1);
  }

  #longer(): number {
    const buffer = this.buffer;
    let at = this.at;
    let byte = buffer[at++];
    if (byte === undefined) throw this.#malformed('the record is cut off');
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = buffer[at++];
      if (byte === undefined) throw this.#malformed('the record is cut off');
      value |= (byte & 0x7f) << shift;
    }
    this.at = at;
    return byte < 0x80 ? (value >>> 1) ^ -(value & 1) : this.#wideLong(value);
  }

  /** Reads the rest of a number of more than 28 bits, whose low 28 bits are `value`. */
  #wideLong(value: number): number {
    let wide = value;
    let scale = 2 ** 28;
    for (let byte = 0x80; byte >= 0x80; scale *= 128) {
      if (scale > 2 ** 63) throw this.#malformed('a number of more than 64 bits');
      byte = this.#byte();
      wide += (byte & 0x7f) * scale;
    }
    if (wide > MAX_WIDE) throw this.#malformed('a number beyond 2^53');
    return (value & 1) === 1 ? -(wide + 1) / 2 : wide / 2;
  }

  #byte(): number {
    const byte = this.buffer[this.at++];
    if (byte === undefined) throw this.#malformed('the record is cut off');
    return byte;
  }

  /** Moves past `bytes`. */
  skip(bytes: number): void {
    const next = this.at + bytes;
    if (bytes < 0 || next > this.buffer.length) throw this.#malformed(`a length of ${bytes} bytes`);
    this.at = next;
  }

  #malformed(problem: string): SchemaError {
    return new SchemaError(
      'ERR_SCHEMA_MALFORMED',
      `event batch: ${problem} at byte ${this.at} of ${this.buffer.length}`,
    );
  }

  /** Reads the fields of the event at `at`, and moves past its body. */
  readEvent(): void {
    this.eventAt = this.at;
    this.lane = this.long();
    this.cpu = this.long();
    this.sequence = this.long();
    this.ktime = this.long();
    this.late = this.#byte() !== 0;
    this.tgid = this.long();
    this.tid = this.long();
    this.startAt = this.at;
    this.cgroupAt = this.at + 8;
    this.skip(16);
    this.execId = this.long();
    this.kind = this.long();
    this.bodyAt = this.at;
    this.#located = false;
    const layout = layouts[this.kind];
    if (layout === undefined) throw this.#malformed(`an event of unknown kind ${this.kind}`);
    if (layout.leaves === null) this.#skipShape(layout.shape);
    else this.readRecord(layout.leaves);
    this.eventEnd = this.at;
  }

  /**
   * Finds the offset of each leaf of the record at `at`, and moves past the record. Reading a leaf then never throws.
   */
  readRecord(leaves: readonly LeafLayout[]): void {
    const { buffer } = this;
    const offsets = this.#offsets;
    const count = leaves.length;
    let at = this.at;
    for (let i = 0; i < count; i++) {
      const leaf = leaves[i] as LeafLayout;
      offsets[i] = at;
      if (leaf.type === LEAF_TYPE.long) {
        const start = at;
        while ((buffer[at++] as number) >= 0x80);
        if (at - start > leaf.safeBytes) this.#checkNumber(leaf, start);
      } else if (leaf.type === LEAF_TYPE.bytes) {
        this.at = at;
        const length = this.long();
        offsets[i] = this.at;
        this.#lengths[i] = length;
        this.skip(length);
        at = this.at;
      } else {
        at += leaf.size;
      }
    }
    this.at = at;
    // Beyond the end, the buffer returns undefined, which ends a number: this one check covers all leaves.
    if (at > buffer.length) throw this.#malformed('the record is cut off');
    this.#located = true;
  }

  #checkNumber({ name, size }: LeafLayout, start: number): void {
    this.at = start;
    const value = this.long();
    if (size === 4 && (value | 0) !== value)
      throw this.#malformed(`${name} is ${value}, which is not a 32-bit number,`);
  }

  /** Moves past a value of any shape. */
  #skipShape(shape: Shape): void {
    switch (shape.is) {
      case 'number':
        this.long();
        return;
      case 'bytes':
        this.skip(this.long());
        return;
      case 'fixed':
        this.skip(shape.size);
        return;
      case 'record':
        for (const part of shape.parts) this.#skipShape(part);
        return;
      case 'union':
        this.#skipBranch(shape.branches);
        return;
      case 'blocks':
        this.#skipBlocks(shape.items);
    }
  }

  #skipBranch(branches: readonly Shape[]): void {
    const branch = this.long();
    const shape = branches[branch];
    if (shape === undefined) throw this.#malformed(`branch ${branch} of a union of ${branches.length}`);
    this.#skipShape(shape);
  }

  /** A block with a negative count begins with its size in bytes. */
  #skipBlocks(items: Shape): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      if (count < 0) this.skip(this.long());
      else for (let i = 0; i < count; i++) this.#skipShape(items);
    }
  }

  /** Returns an int or long of the current body. */
  leafLong(leaf: LongLeaf): number {
    const end = this.at;
    this.at = this.#offset(leaf);
    const value = this.long();
    this.at = end;
    return value;
  }

  leafBoolean(leaf: BooleanLeaf): boolean {
    return this.buffer[this.#offset(leaf)] !== 0;
  }

  /** Caches the last text, because several fields may be parts of it. */
  leafText(leaf: BytesLeaf): string {
    const start = this.#offset(leaf);
    if (start !== this.#textAt) {
      this.#text = decodeText(this.buffer, start, start + (this.#lengths[leaf] as number));
      this.#textAt = start;
    }
    return this.#text;
  }

  /** Returns the NUL-separated texts of a leaf. Caches the last result. */
  leafTexts(leaf: BytesLeaf): readonly string[] {
    const start = this.#offset(leaf);
    if (start !== this.#textsAt) {
      this.#texts = splitText(this.buffer, start, start + (this.#lengths[leaf] as number));
      this.#textsAt = start;
    }
    return this.#texts;
  }

  /** Returns the offset of a leaf's bytes in `buffer`. */
  leafAt(leaf: BytesLeaf | FixedLeaf): number {
    return this.#offset(leaf);
  }

  /** Returns the number of bytes of a leaf. */
  leafLength(leaf: BytesLeaf): number {
    this.#offset(leaf);
    return this.#lengths[leaf] as number;
  }

  /** Returns a view of a leaf's bytes, which is valid as long as the batch's buffer. */
  leafBytes(leaf: BytesLeaf): Buffer {
    const start = this.#offset(leaf);
    return this.buffer.subarray(start, start + (this.#lengths[leaf] as number));
  }

  #offset(leaf: number): number {
    if (!this.#located)
      throw new SchemaError(
        'ERR_SCHEMA_VALUE',
        `event kind ${layouts[this.kind]?.name}: its fields can't be read in place`,
      );
    return this.#offsets[leaf] as number;
  }
}

/** Iterates over an Avro array in place: reads the counts of its blocks and the end mark. */
export class ArrayBlocks {
  readonly cursor: EventCursor;
  #left = 0;
  #ended = false;

  constructor(cursor: EventCursor) {
    this.cursor = cursor;
  }

  /** Starts at the position of the cursor. */
  open(): void {
    this.#left = 0;
    this.#ended = false;
  }

  /** Returns true when the cursor is at another item. */
  more(): boolean {
    if (this.#left === 0 && !this.#ended) {
      const count = this.cursor.long();
      // A block with a negative count begins with its size in bytes.
      if (count < 0) this.cursor.long();
      this.#left = Math.abs(count);
      this.#ended = count === 0;
    }
    if (this.#ended) return false;
    this.#left--;
    return true;
  }
}
