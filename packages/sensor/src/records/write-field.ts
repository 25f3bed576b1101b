import { type AvroWriter, records } from '@ringfence/wire';

const COPY_LOOP_MAX = 32;
const { AF_INET, AF_INET6 } = records.AddressFamily;

/** How long an address of that family is; 0: it has none. */
export const addressBytes = (family: number): number => (family === AF_INET ? 4 : family === AF_INET6 ? 16 : 0);

/** The kept bytes and the true length of the text told at `text`, in the record at `at`. Short ones byte by byte: that is faster than a call into the engine. */
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

/** The longest that every reader takes: 285 years. */
const MICROS_MAX = Number.MAX_SAFE_INTEGER - 1;

/** Signed ns as µs, rounded down, at most 285 years from 0. A file's times are whatever its owner wrote: they may lie before the epoch. */
export function signedMicros(low: number, high: number): number {
  const signed = high | 0;
  // 2^32 ns = 4294967 µs and 296 ns
  const micros = signed * 4294967 + Math.floor((signed * 296 + low) / 1000);
  return Math.max(-MICROS_MAX, Math.min(micros, MICROS_MAX));
}
