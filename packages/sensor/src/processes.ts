import type { BpfProgram } from '@ringfence/libbpf-ts';
import { decodeText, records } from '@ringfence/wire';
import { isSound } from './records/record-check.ts';
import type { RecordSource } from './records/transcode.ts';

/** A process as the sensor's iterator reports it. */
export interface ProcessFacts {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: bigint;
  readonly parentTgid: number;
  /** path of its executable; empty for a kernel thread */
  readonly executable: string;
}

/** The sound records (struct rf_exec) that one run of the snapshot gave. */
export interface Snapshot extends RecordSource {
  /** where each record begins, oldest process first */
  readonly offsets: readonly number[];
}

/** Every process that runs, or one. */
export function readProcesses(program: BpfProgram, options: { readonly tgid?: number } = {}): Snapshot {
  using link = program.attachIterator(options);
  using iterator = link.iterate();
  const all = iterator.readAll();
  return parseSnapshot(Buffer.from(all.buffer, all.byteOffset, all.length));
}

export function parseSnapshot(bytes: Buffer): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const offsets: number[] = [];
  for (let at = 0; at + records.SIZEOF_HEADER <= bytes.length; ) {
    const size = records.headerSize(view, at);
    if (size < records.SIZEOF_HEADER || size > bytes.length - at) break;
    if (records.headerKind(view, at) === records.Kind.EXEC && isSound(view, at, size)) offsets.push(at);
    at += size;
  }
  const start = (at: number): bigint => bytes.readBigUInt64LE(at + records.HEADER_START);
  offsets.sort((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0));
  return { view, bytes, offsets };
}

export function factsOf({ view, bytes }: RecordSource, at: number): ProcessFacts {
  const text = at + records.EXEC_PATH;
  const path = at + records.textOffset(view, text);
  return {
    tgid: records.headerTgid(view, at),
    start: bytes.readBigUInt64LE(at + records.HEADER_START),
    parentTgid: records.execParentTgid(view, at),
    executable: decodeText(bytes, path, path + records.textKept(view, text)),
  };
}
