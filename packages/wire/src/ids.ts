import { hash } from 'node:crypto';
import { u64ToHex } from './values/bytes.ts';

/** Lanes of events. The first two are the sensor's rings; events of the others are numbered in user space, on CPU 0. */
export const LANE = { security: 0, bulk: 1, tick: 16, context: 17, gap: 18, log: 19, silence: 20 } as const;

/** Boot id of events about a host whose boot is unknown. Their ktimes are µs since the epoch. */
export const UNKNOWN_BOOT = 'unknown';

/** Where the numbers of events are counted. */
export interface Origin {
  readonly hostId: string;
  readonly bootId: string;
  readonly run: Uint8Array;
}

/** Returns `hostId/bootId/run/lane/cpu/sequence`. */
export function eventId(origin: Origin, lane: number, cpu: number, sequence: number): string {
  return `${eventIdPrefix(origin)}${lane}/${cpu}/${sequence}`;
}

/** Returns the prefix of the ids of all events of a run. */
export function eventIdPrefix({ hostId, bootId, run }: Origin): string {
  return `${hostId}/${bootId}/${u64ToHex(run)}/`;
}

/**
 * Returns 16 bytes that are the same for a process whose start was observed and one that was found at the agent's
 * start. `start`: ns, CLOCK_BOOTTIME, of the thread group leader.
 */
export function entityId(hostId: string, bootId: string, tgid: number, start: Uint8Array): Buffer {
  const host = hostId + bootId;
  const length = Buffer.byteLength(host);
  const bytes = Buffer.allocUnsafe(length + 12);
  bytes.write(host);
  bytes.writeUInt32LE(tgid >>> 0, length);
  bytes.set(start, length + 4);
  return hash('sha256', bytes, 'buffer').subarray(0, 16);
}

const idOf = (parts: readonly string[], bytes: number): string => hash('sha256', parts.join('\0')).slice(0, bytes * 2);

export function alertId(rule: string, events: readonly string[]): string {
  return idOf([rule, ...events], 16);
}

export function incidentId(openingAlert: string): string {
  return `inc-${idOf([openingAlert], 8)}`;
}

/** `ordinal` counts the commands with the same cause, action and target, from 0. */
export function commandId(cause: string, action: string, entity: string, ordinal: number): string {
  return idOf([cause, action, entity, String(ordinal)], 16);
}
