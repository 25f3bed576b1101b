const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HOUR = 3_600_000_000;
/** µs. The time of a line may be at most this much older than its reading, because the agent may have been stopped. */
const MAX_AGE = 7 * 24 * HOUR;
/** µs. It may be this much in the future. */
const MAX_AHEAD = 60_000_000;
/** Bytes at the start of a line in which the time must be. */
const HEAD = 64;

const ISO = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})(?= |$)/;
const SYSLOG = /^([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2})(?= |$)/;

/**
 * Returns when a line was written according to itself, in µs since the epoch: `2026-11-25T15:55:07.123456+01:00 …`, the
 * same after `<34>1 `, or `Nov 25 15:55:07 …` in the host's time zone. Returns null if the line has no time, or one
 * that is not plausible: a program that can write to a log can write any time.
 */
export function writtenAt(line: Buffer, now: number): number | null {
  const text = line.toString('latin1', 0, HEAD);
  const body = text.startsWith('<') ? withoutPriority(text) : text;
  const time = isoTime(body) ?? syslogTime(body, now);
  return time !== null && time <= now + MAX_AHEAD && time >= now - MAX_AGE ? time : null;
}

/** Removes `<34>` of RFC 3164 and `<34>1 ` of RFC 5424. */
function withoutPriority(text: string): string {
  const rest = text.slice(text.indexOf('>') + 1);
  return rest.startsWith('1 ') ? rest.slice(2) : rest;
}

function isoTime(text: string): number | null {
  const [, seconds, fraction = '', zone] = ISO.exec(text) ?? [];
  if (seconds === undefined || zone === undefined) return null;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const millis = Date.parse(`${seconds.replace(' ', 'T')}${offset}`);
  return Number.isNaN(millis) ? null : millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** The time has no year: uses this year, or the last one if the time would be in the future. */
function syslogTime(text: string, now: number): number | null {
  const [, name, day, hour, minute, second] = SYSLOG.exec(text) ?? [];
  const month = MONTHS.indexOf(name ?? '');
  if (month < 0) return null;
  const year = new Date(now / 1000).getFullYear();
  const inYear = (y: number): number =>
    new Date(y, month, Number(day), Number(hour), Number(minute), Number(second)).getTime() * 1000;
  const time = inYear(year);
  return time > now + 24 * HOUR ? inYear(year - 1) : time;
}
