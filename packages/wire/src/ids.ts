import { hash } from 'node:crypto';
import { u64ToHex } from './values/bytes.ts';

/** Lanes of an event's identity. The first two are the sensor's rings, the others are numbered in user space, on cpu 0. */
export const LANE = { security: 0, bulk: 1, tick: 16, context: 17, gap: 18, log: 19, silence: 20 } as const;

/** Stands where the boot would, for what is told of a host whose boot is not known; its ktimes are µs since the epoch. */
export const UNKNOWN_BOOT = 'unknown';

export interface Origin {
  readonly hostId: string;
  readonly bootId: string;
  readonly run: Uint8Array;
}

/** hostId/bootId/run/lane/cpu/sequence */
export function eventId(origin: Origin, lane: number, cpu: number, sequence: number): string {
  return `${eventIdPrefix(origin)}${lane}/${cpu}/${sequence}`;
}

/** What ids of all events of one run begin with. */
export function eventIdPrefix({ hostId, bootId, run }: Origin): string {
  return `${hostId}/${bootId}/${u64ToHex(run)}/`;
}

/** 16 bytes; the same process gives the same id whether it was seen starting or found at start. `start`: ns, CLOCK_BOOTTIME, of the group leader. */
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

/** `ordinal`: which order of this action against this target for this cause, from 0. */
export function commandId(cause: string, action: string, entity: string, ordinal: number): string {
  return idOf([cause, action, entity, String(ordinal)], 16);
}
