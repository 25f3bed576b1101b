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

/** A record that came by no ring, in a lane of the agent's own: a process found at start, something done to the agent. `ktime` in µs. */
export function transcodeOwn(
  source: Source,
  at: number,
  lane: number,
  sequence: number,
  ktime: number,
  batch: Batch,
): void {
  const { view, bytes } = source;
  const out = begin(source, at, lane, 0, sequence, ktime, false, batch);
  writeBody(records.headerKind(view, at), out, view, bytes, at);
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
