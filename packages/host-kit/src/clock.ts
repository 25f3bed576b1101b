import { CLOCK, clockNanos } from './system.ts';

/** µs since the machine's start, time asleep included: the clock of every ktime */
export function bootMicros(): number {
  return Number(clockNanos(CLOCK.boottime) / 1000n);
}

/** µs to add to a ktime to get the wall clock. The closest of three readings: an interruption between two clocks would shift it. */
export function wallOffset(): number {
  let offset = 0n;
  let closest: bigint | undefined;
  for (let reading = 0; reading < 3; reading++) {
    const before = clockNanos(CLOCK.boottime);
    const wall = clockNanos(CLOCK.realtime);
    const after = clockNanos(CLOCK.boottime);
    if (closest !== undefined && after - before >= closest) continue;
    closest = after - before;
    offset = wall - (before + after) / 2n;
  }
  return Number(offset / 1000n);
}
