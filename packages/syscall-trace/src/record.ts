import { OperatorError } from '@ringfence/base';
import type { Btf } from '@ringfence/libbpf-ts';

/** enum tr_kind of bpf/trace.h */
export const KIND = { enter: 1, exit: 2, gone: 3 } as const;
/** enum tr_state */
export const STATE = { none: 0, whole: 1, cut: 2, unreadable: 3 } as const;
const ARGUMENTS = 6;

export interface Text {
  readonly bytes: Buffer;
  readonly state: number;
}

/** struct tr_record */
export interface TraceRecord {
  readonly kind: number;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly time: bigint;
  readonly tgid: number;
  readonly tid: number;
  readonly number: number;
  readonly compat: boolean;
  /** The last thread of its process has ended (only in records of kind `gone`). */
  readonly last: boolean;
  readonly name: string;
  readonly result: bigint;
  readonly arguments: readonly bigint[];
  readonly texts: readonly Text[];
}

/** Decodes records of the ring, by the layout in the BTF of the BPF object. */
export class TraceReader {
  readonly #offsets: Readonly<Record<string, number>>;

  constructor(btf: Btf | undefined) {
    const members = btf?.find('struct', 'tr_record')?.members;
    if (members === undefined)
      throw new OperatorError('the tracer object has no BTF: build it again with node tools/build-sensor.ts');
    this.#offsets = Object.fromEntries(members.map(({ name, bitOffset }) => [name, bitOffset / 8]));
  }

  read(bytes: Uint8Array, offset: number, length: number): TraceRecord {
    // A copy: the ring is released before the record is printed.
    const record = Buffer.from(bytes.subarray(offset, offset + length));
    const at = (member: string): number => this.#offsets[member] ?? 0;
    const name = record.subarray(at('name'), at('name') + 16);
    const end = name.indexOf(0);
    return {
      kind: record.readUInt16LE(at('kind')),
      time: record.readBigUInt64LE(at('time')),
      tgid: record.readUInt32LE(at('tgid')),
      tid: record.readUInt32LE(at('tid')),
      number: record.readUInt32LE(at('number')),
      compat: record[at('compat')] === 1,
      last: record[at('last')] === 1,
      name: name.subarray(0, end < 0 ? 16 : end).toString(),
      result: record.readBigInt64LE(at('result')),
      arguments: Array.from({ length: ARGUMENTS }, (_, index) => record.readBigUInt64LE(at('arguments') + index * 8)),
      texts: textsOf(record, at('texts'), at('text')),
    };
  }
}

/**
 * @param headersAt offset of the array of `struct tr_text`: size and state of each text
 * @param textsAt offset of the bytes of the first text; the next texts follow
 */
function textsOf(record: Buffer, headersAt: number, textsAt: number): Text[] {
  let at = textsAt;
  return Array.from({ length: ARGUMENTS }, (_, index) => {
    const size = record.readUInt16LE(headersAt + index * 4);
    const bytes = record.subarray(at, at + size);
    at += size;
    return { bytes, state: record.readUInt16LE(headersAt + index * 4 + 2) };
  });
}
