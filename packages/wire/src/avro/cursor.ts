import { SchemaError } from '../errors.ts';
import { decodeText, splitText } from '../values/text.ts';
import { LEAF_TYPE, type LeafLayout, layouts, type Shape } from './layout.ts';
import type { BooleanLeaf, BytesLeaf, FixedLeaf, LongLeaf } from './leaf.ts';

const MAX_LEAVES = 64;

/**
 * Reads Avro primitives and events in place. One cursor is used for all events of all batches: it allocates nothing until a text is asked for.
 * Every length is checked against the end of the buffer before it is used.
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
  /** where the 8 bytes of `start` lie in `buffer` */
  startAt = 0;
  cgroupAt = 0;
  execId = 0;
  /** branch of `body`: see KIND */
  kind = 0;
  /** the event's encoded bytes are buffer[eventAt, eventEnd) */
  eventAt = 0;
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

  /** Avro int or long as a number. Most have one byte. */
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

  /** The rest of a number of more than 28 bits, whose low 28 are `value`. */
  #wideLong(value: number): number {
    let wide = value;
    let scale = 2 ** 28;
    for (let byte = 0x80; byte >= 0x80; scale *= 128) {
      if (scale > 2 ** 63) throw this.#malformed('a number of more than 64 bits');
      byte = this.#byte();
      wide += (byte & 0x7f) * scale;
    }
    if (wide > 2 * Number.MAX_SAFE_INTEGER) throw this.#malformed('a number past 2^53');
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

  #malformed(what: string): SchemaError {
    return new SchemaError('ERR_SCHEMA_MALFORMED', `event batch: ${what} at byte ${this.at} of ${this.buffer.length}`);
  }

  /** Reads the event's own fields at `at`, then moves past its body. */
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

  /** Finds where each leaf of the record at `at` lies, and moves past it. After that reading none of them throws. */
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
    // Past the end the buffer reads as undefined, which ends a number: one check here finds it.
    if (at > buffer.length) throw this.#malformed('the record is cut off');
    this.#located = true;
  }

  #checkNumber({ name, size }: LeafLayout, start: number): void {
    this.at = start;
    const value = this.long();
    if (size === 4 && (value | 0) !== value) throw this.#malformed(`${name} is ${value}, which is no 32-bit number,`);
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

  /** A block of a negative count says its size in bytes first. */
  #skipBlocks(items: Shape): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      if (count < 0) this.skip(this.long());
      else for (let i = 0; i < count; i++) this.#skipShape(items);
    }
  }

  /** An int or long of the current event's body. */
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

  /** Several fields may be parts of one text: the last is remembered. */
  leafText(leaf: BytesLeaf): string {
    const start = this.#offset(leaf);
    if (start !== this.#textAt) {
      this.#text = decodeText(this.buffer, start, start + (this.#lengths[leaf] as number));
      this.#textAt = start;
    }
    return this.#text;
  }

  /** The NUL-separated texts of a leaf of bytes; the last are remembered. */
  leafTexts(leaf: BytesLeaf): readonly string[] {
    const start = this.#offset(leaf);
    if (start !== this.#textsAt) {
      this.#texts = splitText(this.buffer, start, start + (this.#lengths[leaf] as number));
      this.#textsAt = start;
    }
    return this.#texts;
  }

  /** Where a leaf of bytes or fixed lies in `buffer`. */
  leafAt(leaf: BytesLeaf | FixedLeaf): number {
    return this.#offset(leaf);
  }

  /** How many bytes a leaf of bytes has. */
  leafLength(leaf: BytesLeaf): number {
    this.#offset(leaf);
    return this.#lengths[leaf] as number;
  }

  /** A view of a leaf of bytes: valid as long as the batch's buffer. */
  leafBytes(leaf: BytesLeaf): Buffer {
    const start = this.#offset(leaf);
    return this.buffer.subarray(start, start + (this.#lengths[leaf] as number));
  }

  #offset(leaf: number): number {
    if (!this.#located)
      throw new SchemaError(
        'ERR_SCHEMA_VALUE',
        `event kind ${layouts[this.kind]?.name}: its fields are not read in place`,
      );
    return this.#offsets[leaf] as number;
  }
}

/** An array as Avro blocks; reads the block counts and the end mark. */
export class ArrayBlocks {
  readonly cursor: EventCursor;
  #left = 0;
  #ended = false;

  constructor(cursor: EventCursor) {
    this.cursor = cursor;
  }

  /** Starts at the cursor's position. */
  open(): void {
    this.#left = 0;
    this.#ended = false;
  }

  /** true when the cursor stands before another item. */
  more(): boolean {
    if (this.#left === 0 && !this.#ended) {
      const count = this.cursor.long();
      if (count < 0) this.cursor.long(); // the block's size in bytes
      this.#left = Math.abs(count);
      this.#ended = count === 0;
    }
    if (this.#ended) return false;
    this.#left--;
    return true;
  }
}
