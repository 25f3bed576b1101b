import { MAX_LONG } from '@ringfence/wire';
import { parseSyslog } from './syslog.ts';

/** Bytes of a message that an event keeps. */
const MAX_MESSAGE = 16 * 1024;
const MAX_NAME = 128;
const MAX_PATH = 4096;
/** Characters of a time. */
const MAX_TIME = 40;
/** Largest number that avsc writes. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER - 1;

/** A line from Filebeat or the collector, with bounded texts. */
export interface LogLine {
  /** µs since the epoch */
  readonly at: number;
  /** the whole line, cut at 16 KiB */
  readonly message: Buffer;
  /** length before the cut, in bytes */
  readonly length: number;
  /** path of the file, or systemd unit */
  readonly path: string;
  /** -1: none */
  readonly offset: number;
  readonly program: string;
  /** from the line or, verified, from the journal; 0: none */
  readonly pid: number;
  /** the message without the syslog header */
  readonly text: string;
  readonly origin: 'file' | 'journald' | 'http';
}

const ORIGINS: ReadonlyMap<string, LogLine['origin']> = new Map([
  ['journald', 'journald'],
  ['http_endpoint', 'http'],
]);

export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export const asText = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '');

/** Returns 0 unless the value is an integer from 0 to `max`. */
export const asCount = (value: unknown, max: number = MAX_OFFSET): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max ? (value as number) : 0;

/** Returns null if the document has no message or no time. */
export function toLogLine(document: Json): LogLine | null {
  const { message } = document;
  const at = microsOf(asText(document['@timestamp'], MAX_TIME));
  if (typeof message !== 'string' || at === null) return null;
  const log = asObject(document['log']);
  const origin = ORIGINS.get(asText(asObject(document['input'])['type'], MAX_NAME)) ?? 'file';
  const app = asText(asObject(log['syslog'])['appname'], MAX_NAME);
  const whole = Buffer.from(message);
  const kept = whole.length > MAX_MESSAGE ? whole.subarray(0, MAX_MESSAGE) : whole;
  const text = whole.length > MAX_MESSAGE ? kept.toString('utf8') : message;
  const pid = asCount(asObject(document['process'])['pid'], 2 ** 31 - 1);
  const path = origin === 'journald' ? asObject(document['systemd'])['unit'] : asObject(log['file'])['path'];
  return {
    at,
    message: kept,
    length: Math.max(asCount(asObject(document['ringfence'])['length'], 2 ** 31 - 1), whole.length),
    path: asText(path, MAX_PATH),
    offset: origin === 'file' ? asCount(log['offset']) : -1,
    origin,
    ...(app === '' && origin !== 'http' ? parseSyslog(text) : { program: app, pid, text }),
  };
}

/** Parses ISO 8601 with up to microseconds; null: invalid or out of range. */
export function microsOf(text: string): number | null {
  const millis = Date.parse(text);
  if (Number.isNaN(millis) || Math.abs(millis) >= MAX_LONG / 1000) return null;
  const dot = text.indexOf('.');
  const rest = dot < 0 ? '' : text.slice(dot + 4, dot + 7);
  return millis * 1000 + (/^\d+$/.test(rest) ? Number(rest.padEnd(3, '0')) : 0);
}
