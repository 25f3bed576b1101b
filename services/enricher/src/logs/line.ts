import { MAX_LONG } from '../steps/check.ts';
import { parseSyslog } from './syslog.ts';

/** Bytes of a message that are kept. */
const MAX_MESSAGE = 16 * 1024;
const MAX_NAME = 128;
const MAX_PATH = 4096;
/** Of a time as text. */
const MAX_TIME = 40;
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

/** A line as Filebeat and the collector write it, bounded. */
export interface LogLine {
  /** µs since the epoch */
  readonly at: number;
  /** the whole line */
  readonly message: Buffer;
  /** true length in bytes */
  readonly length: number;
  /** of the file, or the unit */
  readonly path: string;
  /** -1: none */
  readonly offset: number;
  readonly program: string;
  /** as the line says, or as the journal knows; 0: none */
  readonly pid: number;
  /** of the message, without what syslog puts in front */
  readonly text: string;
  readonly journal: boolean;
}

export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export const asText = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '');

/** 0 when it is no whole number from 0 to `max`. */
export const asCount = (value: unknown, max: number = MAX_OFFSET): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max ? (value as number) : 0;

/** null: it has no message, or no time. */
export function lineOf(document: Json): LogLine | null {
  const { message } = document;
  const at = microsOf(asText(document['@timestamp'], MAX_TIME));
  if (typeof message !== 'string' || at === null) return null;
  const log = asObject(document['log']);
  const journal = asObject(document['input'])['type'] === 'journald';
  const app = asText(asObject(log['syslog'])['appname'], MAX_NAME);
  const whole = Buffer.from(message);
  const kept = whole.length > MAX_MESSAGE ? whole.subarray(0, MAX_MESSAGE) : whole;
  const text = whole.length > MAX_MESSAGE ? kept.toString('utf8') : message;
  const pid = asCount(asObject(document['process'])['pid'], 2 ** 31 - 1);
  const path = journal ? asObject(document['systemd'])['unit'] : asObject(log['file'])['path'];
  return {
    at,
    message: kept,
    length: Math.max(asCount(asObject(document['ringfence'])['length'], 2 ** 31 - 1), whole.length),
    path: asText(path, MAX_PATH),
    offset: journal ? -1 : asCount(log['offset']),
    journal,
    ...(app === '' ? parseSyslog(text) : { program: app, pid, text }),
  };
}

/** ISO 8601 with up to µs; null: it is none, or past all that is counted. */
export function microsOf(text: string): number | null {
  const millis = Date.parse(text);
  if (Number.isNaN(millis) || Math.abs(millis) >= MAX_LONG / 1000) return null;
  const dot = text.indexOf('.');
  const rest = dot < 0 ? '' : text.slice(dot + 4, dot + 7);
  return millis * 1000 + (/^\d+$/.test(rest) ? Number(rest.padEnd(3, '0')) : 0);
}
