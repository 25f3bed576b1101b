import { Buffer } from 'node:buffer';

/** A record as JSON shows it: bytes as hex, so that a 64-bit value (little-endian on the wire) is never rounded. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
