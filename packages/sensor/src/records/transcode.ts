import { type AvroWriter, type EventHead, nanosToMicros, records } from '@ringfence/wire';
import { writeBody } from './transcoder.generated.ts';

/** Records in memory (a ring's pages, or a snapshot), as two views of the same bytes. */
export interface RecordSource {
  readonly view: DataView;
  readonly bytes: Buffer;
}

/** The batch that transcoded events are written to. */
export interface EventSink {
  /**
   * Starts an event, in a new batch if the current one is full. The caller writes start, cgroup, execId, kind and body.
   */
  begin(head: Readonly<EventHead>): AvroWriter;
  /** Announces the interest generation of the following records. A batch never mixes generations. */
  filteredIn(generation: number): void;
}

/** Position of an event in a lane whose numbers user space assigns. */
export interface LanePosition {
  readonly lane: number;
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

/** Reused for each event, so that transcoding allocates nothing. */
const HEAD: EventHead = { lane: 0, cpu: 0, sequence: 0, ktime: 0, late: false, tgid: 0, tid: 0 };

/** Writes the record at `at`, which must have passed `isSound`, as an event, directly from the ring's memory. */
export function transcode(source: RecordSource, at: number, lane: number, late: boolean, sink: EventSink): void {
  const { view, bytes } = source;
  HEAD.lane = lane;
  HEAD.cpu = records.headerCpu(view, at);
  HEAD.sequence = records.headerSequenceHi(view, at) * 4294967296 + records.headerSequenceLo(view, at);
  HEAD.ktime = nanosToMicros(bytes, at + records.HEADER_KTIME);
  HEAD.late = late;
  writeRecord(source, at, sink);
}

/** Writes a record that did not come from a ring, such as a process found at the start, to one of the agent's lanes. */
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
