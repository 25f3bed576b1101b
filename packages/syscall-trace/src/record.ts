import { OperatorError } from '@ringfence/base';
import type { Btf } from '@ringfence/libbpf-ts';

/** enum tr_kind */
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
  /** ns, CLOCK_MONOTONIC */
  readonly time: bigint;
  readonly tgid: number;
  readonly tid: number;
  readonly number: number;
  readonly compat: boolean;
  /** of a thread that is gone: no other is left in its process */
  readonly last: boolean;
  readonly name: string;
  readonly result: bigint;
  readonly arguments: readonly bigint[];
  readonly texts: readonly Text[];
}

/** Reads records where the kernel wrote them, by the layout that the object itself tells. */
export class TraceReader {
  readonly #at: Readonly<Record<string, number>>;

  constructor(btf: Btf | undefined) {
    const members = btf?.find('struct', 'tr_record')?.members;
    if (members === undefined)
      throw new OperatorError('the tracer has no type information: node packages/sensor/src/build/build-sensor.ts');
    this.#at = Object.fromEntries(members.map(({ name, bitOffset }) => [name, bitOffset / 8]));
  }

  read(bytes: Uint8Array, offset: number, length: number): TraceRecord {
    const own = Buffer.from(bytes.subarray(offset, offset + length));
    const at = (name: string): number => this.#at[name] ?? 0;
    const name = own.subarray(at('name'), at('name') + 16);
    const end = name.indexOf(0);
    return {
      kind: own.readUInt16LE(at('kind')),
      time: own.readBigUInt64LE(at('time')),
      tgid: own.readUInt32LE(at('tgid')),
      tid: own.readUInt32LE(at('tid')),
      number: own.readUInt32LE(at('number')),
      compat: own[at('compat')] === 1,
      last: own[at('last')] === 1,
      name: name.subarray(0, end < 0 ? 16 : end).toString(),
      result: own.readBigInt64LE(at('result')),
      arguments: Array.from({ length: ARGUMENTS }, (_, index) => own.readBigUInt64LE(at('arguments') + index * 8)),
      texts: textsOf(own, at('texts'), at('text')),
    };
  }
}

function textsOf(own: Buffer, lengths: number, start: number): Text[] {
  let at = start;
  return Array.from({ length: ARGUMENTS }, (_, index) => {
    const size = own.readUInt16LE(lengths + index * 4);
    const bytes = own.subarray(at, at + size);
    at += size;
    return { bytes, state: own.readUInt16LE(lengths + index * 4 + 2) };
  });
}
