import { type AvroWriter, records } from '@ringfence/wire';

/** Shorter texts are copied in a loop, which is faster than a native call. */
const COPY_LOOP_MAX = 32;
const { AF_INET, AF_INET6 } = records.AddressFamily;
/** The largest time that every reader accepts: 285 years. */
const MICROS_MAX = Number.MAX_SAFE_INTEGER - 1;

/** Returns the length of an address of this family, or 0 for a family without addresses. */
export const addressBytes = (family: number): number => (family === AF_INET ? 4 : family === AF_INET6 ? 16 : 0);

/**
 * Writes the kept bytes and the true length of a text. `text`: position of its descriptor; `at`: start of the record.
 */
export function writeText(out: AvroWriter, view: DataView, bytes: Buffer, at: number, text: number): void {
  const kept = records.textKept(view, text);
  const start = at + records.textOffset(view, text);
  out.ensure(kept + 32);
  out.long(kept);
  if (kept <= COPY_LOOP_MAX) {
    const { buffer, at: to } = out;
    for (let i = 0; i < kept; i++) buffer[to + i] = bytes[start + i] as number;
  } else {
    bytes.copy(out.buffer, out.at, start, start + kept);
  }
  out.at += kept;
  out.long(records.textLength(view, text));
}

/**
 * Converts signed ns to µs, rounded down and limited to 285 years from the epoch. The owner of a file can set its times
 * to anything, including times before the epoch.
 */
export function signedMicros(low: number, high: number): number {
  const signed = high | 0;
  // 2^32 ns = 4294967 µs and 296 ns
  const micros = signed * 4294967 + Math.floor((signed * 296 + low) / 1000);
  return Math.max(-MICROS_MAX, Math.min(micros, MICROS_MAX));
}
