import { records } from '@ringfence/wire';
import type { EventSink } from './event-sink.ts';
import type { LaneReader } from './lane-reader.ts';
import { type RecordSource, transcode } from './transcode.ts';

/** Told of each event's cgroup, its time (µs, CLOCK_BOOTTIME), and whether it is an exec, before the event is written. */
export type SeenCgroup = (low: number, high: number, ktime: number, exec: boolean) => void;

/** Told of each exec, and where its record lies, before the event is written. */
export type SeenExec = (source: RecordSource, at: number, ktime: number) => void;

/** Takes records off the rings into the batch. */
export class Merge {
  /** events that came after later ones had been sent */
  late = 0;
  readonly #batch: EventSink;
  readonly #seenCgroup: SeenCgroup;
  readonly #seenExec: SeenExec;
  /** µs, CLOCK_BOOTTIME: the latest event so far */
  #latest = 0;

  constructor(batch: EventSink, seenCgroup: SeenCgroup, seenExec: SeenExec = () => {}) {
    this.#batch = batch;
    this.#seenCgroup = seenCgroup;
    this.#seenExec = seenExec;
  }

  /**
   * Takes by ktime, each lane in its own order, what is not later than `until` (µs); at most `maxEvents`. On equal times the first lane goes first: an exec
   * before what it opens. Returns how many were taken; the lanes' next records stay looked at.
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
    const exec = records.headerKind(source.view, at) === records.Kind.EXEC;
    this.#seenCgroup(records.headerCgroupLo(source.view, at), records.headerCgroupHi(source.view, at), ktime, exec);
    if (exec) this.#seenExec(source, at, ktime);
    this.#batch.filteredIn(records.headerGeneration(source.view, at));
    const late = ktime < this.#latest;
    if (late) this.late++;
    else this.#latest = ktime;
    transcode(source, at, lane.lane, late, this.#batch);
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
