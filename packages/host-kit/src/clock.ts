import { CLOCK, clockNanos } from './system.ts';

/** µs since boot, including suspend (CLOCK_BOOTTIME). Every ktime uses this clock. */
export function bootMicros(): number {
  return Number(clockNanos(CLOCK.boottime) / 1000n);
}

/**
 * Returns the µs to add to a ktime to get wall-clock time. Takes three readings and uses the one that took least time,
 * because an interruption between reading the two clocks would shift the result.
 */
export function wallOffset(): number {
  let offset = 0n;
  let shortest: bigint | undefined;
  for (let reading = 0; reading < 3; reading++) {
    const before = clockNanos(CLOCK.boottime);
    const wall = clockNanos(CLOCK.realtime);
    const after = clockNanos(CLOCK.boottime);
    if (shortest !== undefined && after - before >= shortest) continue;
    shortest = after - before;
    offset = wall - (before + after) / 2n;
  }
  return Number(offset / 1000n);
}
