import type { Eviction, HelperFailure, KindAccount, LaneReader, RunState, SkippedProgram } from '@ringfence/sensor';
import type { LANE } from '@ringfence/wire';
import type { Outbox } from './delivery/outbox.ts';

/**
 * Where the records of one of the sensor's lanes went. `sent`, `read` and `inRing` count since the sensor was loaded,
 * the other figures since the agent's start.
 */
export interface LaneFlow {
  readonly lane: number;
  /** `sent` = `read` + `inRing` */
  readonly sent: number;
  /** By this agent and those before it */
  readonly read: number;
  readonly inRing: number;
  /** `taken` + `earlier` = `delivered` + `waiting` + `dropped` + `malformed` + `underWay` */
  readonly taken: number;
  /** Waited in the spool at the start, or was left in the rings of another sensor */
  readonly earlier: number;
  /** On the bus */
  readonly delivered: number;
  /** In the spool */
  readonly waiting: number;
  /** From a full spool */
  readonly dropped: number;
  readonly malformed: number;
  /** Read, and neither on the bus nor in the spool yet */
  readonly underWay: number;
}

/** Where every event went. */
export interface EventAccount {
  /** In the kernel, since the sensor was loaded */
  readonly kinds: readonly KindAccount[];
  readonly lanes: readonly LaneFlow[];
  /** Events that were throttled or found the security ring full, by cgroup, kind and cause */
  readonly throttled: readonly ThrottledAccount[];
  /** Failures of kernel helpers that the sensor called */
  readonly failures: readonly HelperFailure[];
  /** Entries evicted from full maps of the sensor */
  readonly forgotten: readonly Eviction[];
  /** Calls that the kernel has skipped, by program; no other figure includes them */
  readonly skipped: readonly SkippedProgram[];
}

/** Events that one cgroup lost, since the sensor was loaded. */
export interface ThrottledAccount {
  /** 64-bit id, as text */
  readonly cgroup: string;
  /** From the hierarchy's root; empty when the cgroup is gone */
  readonly path: string;
  readonly lane: number;
  readonly kind: string;
  /** throttled: beyond its share; ring_full: within it, but the security ring was full */
  readonly cause: 'throttled' | 'ring_full';
  readonly count: number;
}

interface FlowSources {
  readonly readers: readonly LaneReader[];
  readonly run: RunState;
  readonly outbox: Outbox;
}

type SensorLane = typeof LANE.security | typeof LANE.bulk;

/** Follows the records of the rings to the bus. */
export class FlowAccount {
  readonly #sources: FlowSources;
  /** Figures before this start, by lane: records read, and records that had left the rings */
  readonly #before = new Map<number, { readonly read: number; readonly earlier: number }>();

  constructor(sources: FlowSources) {
    this.#sources = sources;
    for (const { lane } of sources.readers) {
      const { delivered, waiting, dropped } = sources.outbox.flow(lane);
      const read = sources.run.recordsRead(lane as SensorLane);
      this.#before.set(lane, { read, earlier: delivered + waiting + dropped });
    }
  }

  /** Records how much was read, once the rings have released it. */
  onReleased(): void {
    const { readers, run } = this.#sources;
    for (const { lane, taken, malformedTotal } of readers)
      run.setRecordsRead(lane as SensorLane, (this.#before.get(lane)?.read ?? 0) + taken + malformedTotal);
  }

  lanes(kinds: readonly KindAccount[]): LaneFlow[] {
    const { readers, run, outbox } = this.#sources;
    return readers.map(({ lane, taken, malformedTotal: malformed }) => {
      const sent = kinds.reduce((sum, account) => sum + (account.lane === lane ? account.sent : 0), 0);
      const read = run.recordsRead(lane as SensorLane);
      const earlier = this.#before.get(lane)?.earlier ?? 0;
      const flow = outbox.flow(lane);
      const underWay = taken + earlier - flow.delivered - flow.waiting - flow.dropped;
      const counts = { taken: taken + malformed, earlier, ...flow, malformed, underWay };
      return { lane, sent, read, inRing: sent - read, ...counts };
    });
  }
}
