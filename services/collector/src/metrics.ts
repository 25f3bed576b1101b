import type { HashStats } from '@ringfence/host-facts';
import type { ProbeStatus } from '@ringfence/sensor';
import type { LaneCounters } from '@ringfence/wire';
import type { EventAccount } from './account.ts';

export interface CollectorStats {
  /** hex */
  readonly run: string;
  /** an earlier agent's sensor was taken over */
  readonly resumed: boolean;
  readonly hooks: number;
  /** hooks that aren't in place now, with the reason */
  readonly missingHooks: Readonly<Record<string, string>>;
  /** of these, those that this kernel has: they are tried again */
  readonly retriedHooks: readonly string[];
  /** of the sensor, and of what user space dropped */
  readonly lanes: readonly LaneCounters[];
  /** over all lanes and CPUs, by cause; `skipped`: calls of the sensor that the kernel left out, which were not seen at all */
  readonly drops: Readonly<Record<string, number>>;
  /** where every event went */
  readonly account: EventAccount;
  /** bytes in the rings, not yet read */
  readonly pendingBytes: { readonly security: number; readonly bulk: number };
  readonly spool: {
    readonly bytes: number;
    readonly batches: number;
    readonly droppedBatches: number;
    /** of torn or damaged segments */
    readonly cutBytes: number;
  };
  /** since this start */
  readonly batches: number;
  readonly events: number;
  readonly bytes: number;
  readonly late: number;
  /** times that the bus took no batch */
  readonly refusals: number;
  readonly containers: number;
  readonly hashes: HashStats;
  readonly interestVersion: number;
  /** answers to commands, by `outcome` or `refused/reason` */
  readonly commands: Readonly<Record<string, number>>;
  /** those that users have defined */
  readonly probes: readonly ProbeStatus[];
}

/** Sums of all lanes and CPUs by cause. */
export function sumDrops(lanes: readonly LaneCounters[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { drops } of lanes) {
    for (const [cause, count] of Object.entries(drops)) sums[cause] = (sums[cause] ?? 0) + count;
  }
  return sums;
}
