import { readFileSync } from 'node:fs';
import { records } from '@ringfence/wire';

const TICK_NS = 10_000_000n;
const { TAMPERING_OBJECT_OPEN: OBJECT_OPEN, TAMPERING_MAP_CHANGE: MAP_CHANGE } = records.TamperingOperation;

/** Start of this process in clock ticks (10 ms, CLOCK_BOOTTIME), as in /proc/PID/stat. */
const ownStart = ((): bigint => {
  const text = readFileSync('/proc/self/stat', 'latin1');
  return BigInt(text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
})();

/**
 * Whether an entry (struct rf_tampering_entry) is about this process opening or changing the sensor's objects, which it
 * does before the sensor knows it as the agent. Compares the start, because a pid namespace hides the kernel's pid.
 */
export function isOwnAccess(entry: Buffer): boolean {
  const operation = entry.readUInt32LE(records.TAMPERING_OPERATION);
  if (operation < OBJECT_OPEN || operation > MAP_CHANGE) return false;
  return entry.readBigUInt64LE(records.HEADER_START) / TICK_NS === ownStart;
}
