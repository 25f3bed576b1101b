import { type AvroWriter, type EventHead, nanosToMicros, records } from '@ringfence/wire';
import { writeBody } from '../generated/transcoder.generated.ts';
import type { EventSink } from './event-sink.ts';

/** Records in memory (a ring's pages, or a snapshot), as two views of the same bytes. */
export interface RecordSource {
  readonly view: DataView;
  readonly bytes: Buffer;
}

/** Filled anew for each event, so that transcoding allocates nothing. */
const HEAD: EventHead = { lane: 0, cpu: 0, sequence: 0, ktime: 0, late: false, tgid: 0, tid: 0 };

/** Writes one sound record (see record-check.ts) as an event, straight from the ring's memory. */
export function transcode(source: RecordSource, at: number, lane: number, late: boolean, sink: EventSink): void {
  const { view, bytes } = source;
  HEAD.lane = lane;
  HEAD.cpu = records.headerCpu(view, at);
  HEAD.sequence = records.headerSequenceHi(view, at) * 4294967296 + records.headerSequenceLo(view, at);
  HEAD.ktime = nanosToMicros(bytes, at + records.HEADER_KTIME);
  HEAD.late = late;
  writeRecord(source, at, sink);
}

/** Position of an event in a lane that user space numbers. */
export interface LanePosition {
  readonly lane: number;
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

/** Writes a record that came through no ring, such as a process found at start, in a lane of the agent. */
export function transcodeAt(source: RecordSource, at: number, position: LanePosition, sink: EventSink): void {
  HEAD.lane = position.lane;
  HEAD.cpu = 0;
  HEAD.sequence = position.sequence;
  HEAD.ktime = position.ktime;
  HEAD.late = false;
  writeRecord(source, at, sink);
}

function writeRecord({ view, bytes }: RecordSource, at: number, sink: EventSink): void {
  HEAD.tgid = records.headerTgid(view, at) | 0;
  HEAD.tid = records.headerTid(view, at) | 0;
  const out: AvroWriter = sink.begin(HEAD);
  out.fixed(bytes, at + records.HEADER_START, 8);
  out.fixed(bytes, at + records.HEADER_CGROUP, 8);
  out.long(records.headerExecIdHi(view, at) * 4294967296 + records.headerExecIdLo(view, at));
  writeBody(records.headerKind(view, at), out, view, bytes, at);
}
