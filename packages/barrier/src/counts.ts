/** What the barrier has refused, in the order of enum rf_barrier_cause. */
export const COUNTED = [
  'blockedPackets',
  'blockedConnects',
  'blockedNames',
  'isolatedPackets',
  'isolatedNames',
  'isolatedSockets',
] as const;

/** Counts since the boot. */
export type BarrierCounts = Readonly<Record<(typeof COUNTED)[number], number>>;
