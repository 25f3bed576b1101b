/** Reads the sensor's records as plain objects, by the object's own BTF. */
import { type Btf, type BtfValue, type Codec, codecFor } from '@ringfence/libbpf-ts';

export interface Header {
  readonly ktime: bigint;
  readonly sequence: bigint;
  readonly start: bigint;
  readonly tgid: number;
  readonly tid: number;
  readonly cgroup: bigint;
  readonly exec_id: bigint;
  readonly size: number;
  readonly kind: number;
  readonly cpu: number;
  /** generation of the interest in force */
  readonly generation: number;
}

export interface SensorRecord {
  readonly type: string;
  readonly lane: number;
  readonly header: Header;
  /** the other members of the struct; those of type rf_text are in `texts` */
  readonly fields: { readonly [name: string]: BtfValue };
  readonly texts: { readonly [name: string]: Text };
}

export interface Text {
  readonly bytes: Buffer;
  /** original length in bytes */
  readonly length: number;
}

/** Parses a text of four-byte ids. */
export function groupIds(text: Text | undefined): number[] {
  const bytes = text?.bytes ?? Buffer.alloc(0);
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(4 * index));
}

interface RawText {
  readonly offset: number;
  readonly kept: number;
  readonly length: number;
}

function isText(value: BtfValue): value is RawText & BtfValue {
  return typeof value === 'object' && 'offset' in value && 'kept' in value && 'length' in value;
}

export class RecordReader {
  /** By enum rf_kind: name and codec of the struct. */
  readonly #kinds: ReadonlyMap<number, { readonly type: string; readonly codec: Codec<BtfValue> }>;

  constructor(btf: Btf) {
    this.#kinds = new Map(
      (btf.find('enum', 'rf_kind')?.values ?? []).map(({ name, value }) => {
        const struct = name.toLowerCase();
        const id = btf.types.findIndex((type) => type.kind === 'struct' && type.name === struct);
        return [Number(value), { type: struct, codec: codecFor(btf, id) }];
      }),
    );
  }

  /** @param bytes one complete record */
  read(lane: number, bytes: Buffer): SensorRecord {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const kind = view.getUint16(52, true);
    const found = this.#kinds.get(kind);
    if (found === undefined) throw new Error(`a record of unknown kind ${kind}`);
    const { type, codec } = found;
    const { h, pad: _, ...rest } = codec.read(view, 0) as { readonly [name: string]: BtfValue };
    const fields: Record<string, BtfValue> = {};
    const texts: Record<string, Text> = {};
    for (const [name, value] of Object.entries(rest)) {
      if (isText(value)) texts[name] = readText(bytes, name, value);
      else fields[name] = value;
    }
    return { type, lane, header: h as unknown as Header, fields, texts };
  }

  /** Reads a sequence of records. */
  readAll(lane: number, stream: Uint8Array): SensorRecord[] {
    const records: SensorRecord[] = [];
    const bytes = Buffer.from(stream);
    for (let at = 0; at < bytes.length; ) {
      const size = bytes.readUInt32LE(at + 48);
      records.push(this.read(lane, bytes.subarray(at, at + size)));
      at += size;
    }
    return records;
  }
}

function readText(bytes: Buffer, name: string, { offset, kept, length }: RawText): Text {
  if (offset + kept > bytes.length) throw new Error(`'${name}' reaches out of its record`);
  if (kept > length) throw new Error(`'${name}' keeps ${kept} bytes of ${length}`);
  return { bytes: Buffer.from(bytes.subarray(offset, offset + kept)), length };
}
