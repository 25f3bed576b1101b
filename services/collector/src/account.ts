import type { Eviction, HelperFailure, KindAccount, LaneReader, RunState, SkippedProgram } from '@ringfence/sensor';
import type { LANE } from '@ringfence/wire';
import type { Spool } from './spool/spool.ts';
import type { Delivery } from './steps/deliver.ts';

/** Where the records of one of the sensor's lanes went. The first part is since the sensor was loaded, the second since the agent's start. */
export interface LaneFlow {
  readonly lane: number;
  /** `sent` = `read` + `inRing` */
  readonly sent: number;
  /** by this agent and those before it */
  readonly read: number;
  readonly inRing: number;
  /** `taken` + `earlier` = `delivered` + `waiting` + `dropped` + `malformed` + `underWay` */
  readonly taken: number;
  /** what waited in the spool at the start, or was left in the rings of another sensor */
  readonly earlier: number;
  /** on the bus */
  readonly delivered: number;
  /** in the spool */
  readonly waiting: number;
  /** from a full spool */
  readonly dropped: number;
  readonly malformed: number;
  /** read, and neither on the bus nor in the spool yet */
  readonly underWay: number;
}

/** Where every event went. */
export interface EventAccount {
  /** in the kernel, since the sensor was loaded */
  readonly kinds: readonly KindAccount[];
  readonly lanes: readonly LaneFlow[];
  /** what was held back, by cgroup and kind */
  readonly throttled: readonly ThrottledAccount[];
  /** of the kernel's helpers in the sensor */
  readonly failures: readonly HelperFailure[];
  /** by maps of the sensor that were full */
  readonly forgotten: readonly Eviction[];
  /** calls that the kernel has skipped, by program: none of them is among those that were seen */
  readonly skipped: readonly SkippedProgram[];
}

/** What one cgroup had beyond its share, since the sensor was loaded. */
export interface ThrottledAccount {
  /** id, as text: 64 bits */
  readonly cgroup: string;
  /** from the hierarchy's root; empty: gone */
  readonly path: string;
  readonly lane: number;
  readonly kind: string;
  readonly count: number;
}

interface Parts {
  readonly readers: readonly LaneReader[];
  readonly run: RunState;
  readonly delivery: Delivery;
  readonly spool: Spool;
}

type SensorLane = typeof LANE.security | typeof LANE.bulk;

/** Follows what is read from the rings to the bus. */
export class FlowAccount {
  readonly #parts: Parts;
  /** by lane: what was read before this start, and what was on its way then */
  readonly #start = new Map<number, { readonly read: number; readonly gone: number }>();

  constructor(parts: Parts) {
    this.#parts = parts;
    for (const { lane } of parts.readers) {
      const { delivered, waiting, dropped } = this.#gone(lane);
      this.#start.set(lane, { read: parts.run.recordsRead(lane as SensorLane), gone: delivered + waiting + dropped });
    }
  }

  #gone(lane: number): Pick<LaneFlow, 'delivered' | 'waiting' | 'dropped'> {
    const { waiting, moved, dropped } = this.#parts.spool.flow(lane);
    return { delivered: (this.#parts.delivery.direct.get(lane) ?? 0) + moved, waiting, dropped };
  }

  /** What was taken is safe: the rings move on. */
  released(): void {
    for (const reader of this.#parts.readers)
      this.#parts.run.setRecordsRead(
        reader.lane as SensorLane,
        (this.#start.get(reader.lane)?.read ?? 0) + reader.taken + reader.malformedTotal,
      );
  }

  lanes(kinds: readonly KindAccount[]): LaneFlow[] {
    return this.#parts.readers.map((reader) => {
      const { lane, taken } = reader;
      const sent = kinds.reduce((sum, account) => sum + (account.lane === lane ? account.sent : 0), 0);
      const read = this.#parts.run.recordsRead(lane as SensorLane);
      const earlier = this.#start.get(lane)?.gone ?? 0;
      const gone = this.#gone(lane);
      const malformed = reader.malformedTotal;
      const underWay = taken + earlier - gone.delivered - gone.waiting - gone.dropped;
      const counts = { taken: taken + malformed, earlier, ...gone, malformed, underWay };
      return { lane, sent, read, inRing: sent - read, ...counts };
    });
  }
}
