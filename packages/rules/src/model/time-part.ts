const DAY_MS = 86_400_000;

/** A part of a time, in UTC; weeks are those of ISO 8601. */
export type TimePart = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

/** @param timeUs µs since the epoch */
export function timePart(part: TimePart, timeUs: number): number {
  const date = new Date(timeUs / 1000);
  switch (part) {
    case 'minute':
      return date.getUTCMinutes();
    case 'hour':
      return date.getUTCHours();
    case 'day':
      return date.getUTCDate();
    case 'week':
      return weekOf(date);
    case 'month':
      return date.getUTCMonth() + 1;
    case 'year':
      return date.getUTCFullYear();
  }
}

/** A week belongs to the year of its Thursday. */
function weekOf(date: Date): number {
  const weekday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(date.getTime() + (3 - weekday) * DAY_MS);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return 1 + Math.floor((thursday.getTime() - first) / (7 * DAY_MS));
}
