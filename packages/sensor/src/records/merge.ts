import { records } from '@ringfence/wire';
import type { LaneReader } from './lane-reader.ts';
import { type EventSink, type RecordSource, transcode } from './transcode.ts';

/**
 * Called before each event is written, with the halves of its cgroup id, its time (µs, CLOCK_BOOTTIME), and whether it
 * is an exec.
 */
export type OnCgroup = (low: number, high: number, ktime: number, isExec: boolean) => void;

/** Called before each exec is written, and before `OnCgroup`, with the start of its record in `source`. */
export type OnExec = (source: RecordSource, at: number, ktime: number) => void;

/** Takes records from the rings in order of time and writes them as events. */
export class Merge {
  /** events that arrived after later ones had been sent */
  late = 0;
  readonly #sink: EventSink;
  readonly #onCgroup: OnCgroup;
  readonly #onExec: OnExec;
  /** Latest time of an event so far: µs, CLOCK_BOOTTIME. */
  #latest = 0;

  constructor(sink: EventSink, onCgroup: OnCgroup, onExec: OnExec = () => {}) {
    this.#sink = sink;
    this.#onCgroup = onCgroup;
    this.#onExec = onExec;
  }

  /**
   * Takes at most `maxEvents` records that are not later than `until` (µs). Orders them by ktime and keeps the order
   * within each lane. For equal times the first lane goes first, so that an exec precedes the opens of its process.
   * Returns how many were taken. The lanes keep their next records for the next call.
   */
  take(lanes: readonly LaneReader[], until: number, maxEvents: number): number {
    let taken = 0;
    while (taken < maxEvents) {
      const lane = earliest(lanes);
      if (lane === null || lane.ktime > until) break;
      this.#write(lane);
      lane.taken++;
      lane.advance();
      taken++;
    }
    return taken;
  }

  #write(lane: LaneReader): void {
    const { source, at, ktime } = lane;
    const isExec = records.headerKind(source.view, at) === records.Kind.EXEC;
    if (isExec) this.#onExec(source, at, ktime);
    this.#onCgroup(records.headerCgroupLo(source.view, at), records.headerCgroupHi(source.view, at), ktime, isExec);
    this.#sink.filteredIn(records.headerGeneration(source.view, at));
    const late = ktime < this.#latest;
    if (late) this.late++;
    else this.#latest = ktime;
    transcode(source, at, lane.lane, late, this.#sink);
  }
}

function earliest(lanes: readonly LaneReader[]): LaneReader | null {
  let first: LaneReader | null = null;
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[i] as LaneReader;
    if (lane.ready && (first === null || lane.ktime < first.ktime)) first = lane;
  }
  return first;
}
