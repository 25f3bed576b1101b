import { type AvroWriter, nanosToMicros, records } from '@ringfence/schema';
import { writeBody } from '../generated/transcoder.generated.ts';
import type { Batch } from './batch.ts';

/** A ring's pages, or a snapshot's records: the same memory twice. */
export interface Source {
  readonly view: DataView;
  readonly bytes: Buffer;
}

/** Writes one sound record (see record-check.ts) as an event, from where the kernel wrote it. Nothing is allocated. */
export function transcode(source: Source, at: number, lane: number, late: boolean, batch: Batch): void {
  const { view, bytes } = source;
  const sequence = records.headerSequenceHi(view, at) * 4294967296 + records.headerSequenceLo(view, at);
  const ktime = nanosToMicros(bytes, at + records.HEADER_KTIME);
  const out = begin(source, at, lane, records.headerCpu(view, at), sequence, ktime, late, batch);
  writeBody(records.headerKind(view, at), out, view, bytes, at);
}

/** A process found at start: an exec that wasn't seen, in a lane of the agent's own. `ktime` in µs. */
export function transcodeSnapshot(
  source: Source,
  at: number,
  lane: number,
  sequence: number,
  ktime: number,
  batch: Batch,
): void {
  const { view, bytes } = source;
  writeBody(records.Kind.EXEC, begin(source, at, lane, 0, sequence, ktime, false, batch), view, bytes, at);
}

function begin(
  { view, bytes }: Source,
  at: number,
  lane: number,
  cpu: number,
  sequence: number,
  ktime: number,
  late: boolean,
  batch: Batch,
): AvroWriter {
  const out = batch.begin(
    lane,
    cpu,
    sequence,
    ktime,
    late,
    records.headerTgid(view, at) | 0,
    records.headerTid(view, at) | 0,
  );
  out.fixed(bytes, at + records.HEADER_START, 8);
  out.fixed(bytes, at + records.HEADER_CGROUP, 8);
  out.long(records.headerExecIdHi(view, at) * 4294967296 + records.headerExecIdLo(view, at));
  return out;
}
