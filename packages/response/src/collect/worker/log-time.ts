/** Bytes of a line in which its time is looked for */
const HEAD = 256;
const ISO = /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?/;
const SYSLOG = /^(?:<\d+>)?([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)/;
const AUDIT = /msg=audit\((\d{9,11})\.(\d{3}):/;
const EPOCH = /^(\d{10})(?:\.(\d{1,9}))?\b/;
const COMMON = /\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\]/;
const DAY_MS = 86_400_000;

/**
 * Returns the time of a line in µs since the epoch: ISO 8601, syslog, audit, Common Log Format, or Unix time; null if
 * it has none. A time without a zone is of the host's zone.
 * @param latest ms since the epoch: a time without a year is not a day after it
 */
export function timeOfLine(line: Buffer, latest: number): number | null {
  const text = line.toString('latin1', 0, HEAD);
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, date, clock, fraction = '', zone = ''] = iso;
    return micros(Date.parse(`${date}T${clock}${zone}`), fraction);
  }
  const syslog = SYSLOG.exec(text);
  if (syslog !== null) return syslogTime(syslog, latest);
  const common = COMMON.exec(text);
  if (common !== null)
    return micros(Date.parse(`${common[1]} ${common[2]} ${common[3]} ${common[4]} ${common[5]}`), '');
  const [, seconds, fraction = ''] = AUDIT.exec(text) ?? EPOCH.exec(text) ?? [];
  return seconds === undefined ? null : micros(Number(seconds) * 1000, fraction);
}

function syslogTime([, month, day, clock]: readonly string[], latest: number): number | null {
  const year = new Date(latest).getFullYear();
  const thisYear = Date.parse(`${month} ${day} ${year} ${clock}`);
  if (thisYear <= latest + DAY_MS) return micros(thisYear, '');
  return micros(Date.parse(`${month} ${day} ${year - 1} ${clock}`), '');
}

const micros = (ms: number, fraction: string): number | null =>
  Number.isNaN(ms) ? null : ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
