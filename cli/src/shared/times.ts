import { OperatorError } from '@ringfence/base';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+)([smhd])$/;

/** Parses the duration of an option, ms. Throws OperatorError. */
export function durationMs(option: string, text: string): number {
  const [, number, unit] = DURATION.exec(text) ?? [];
  if (number === undefined || unit === undefined)
    throw new OperatorError(`${option} ${text}: expected a number and a unit, such as 30s, 10m, 2h or 1d`);
  return Number(number) * (UNITS[unit] ?? 0);
}

/** Parses a past time, ms since the epoch: ISO 8601, `now`, or a duration before now. Throws OperatorError. */
export function pastTimeMs(option: string, text: string): number {
  const now = Date.now();
  const time = text === 'now' ? now : DURATION.test(text) ? now - durationMs(option, text) : isoTimeMs(text);
  if (time >= 0 && time <= now) return time;
  throw new OperatorError(
    `${option} ${text}: expected a past time, such as 2026-11-30T12:00:00Z, now, or 30s, 10m, 2h, 1d for that long ago`,
  );
}

/** Returns NaN unless the text is a time with its time zone. */
const isoTimeMs = (text: string): number =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
