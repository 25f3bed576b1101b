import { hostname } from 'node:os';
import { escapeText } from '@ringfence/wire';

/** Facility authpriv */
const FACILITY = 10;
/** The number that is reserved for examples: Ringfence has none of its own. */
const STRUCTURE = 'ringfence@32473';
const VALUE_MAX = 128;
/** The latest time of a Date */
const TIME_MAX_MS = 8.64e15;

/** What a sender reports. */
export interface SyslogKind {
  /** The message id, letters and hyphens */
  readonly id: string;
  /** 1: alert, 5: notice */
  readonly severity: 1 | 5;
  /** ASCII */
  readonly text: string;
  /** Messages that wait for the server. @default 64 */
  readonly waitingMax?: number;
}

export interface SyslogReport {
  /** ms since the epoch */
  readonly at: number;
  readonly hostId: string;
  /** Details by name: letters only */
  readonly details: Readonly<Record<string, string | number>>;
  /** ASCII: many servers write only the text into their files. @default that of the kind */
  readonly text?: string;
}

/** Returns a message of RFC 5424, whose text is ASCII. It has at most 128 characters of each detail. */
export function syslogMessage(kind: SyslogKind, { at, hostId, details, text = kind.text }: SyslogReport): string {
  const host = /^[\x21-\x7e]{1,255}$/.exec(hostname())?.[0] ?? '-';
  const values = Object.entries({ hostId, ...details }).map(([name, value]) => ` ${name}="${valueText(value)}"`);
  // An entry in the sensor's memory can have any time.
  const time = new Date(Math.abs(at) <= TIME_MAX_MS ? at : Date.now()).toISOString();
  const header = `<${FACILITY * 8 + kind.severity}>1 ${time} ${host} ringfence ${process.pid} ${kind.id}`;
  return `${header} [${STRUCTURE}${values.join('')}] ${text}`;
}

const valueText = (value: string | number): string =>
  escapeText(String(value))
    .slice(0, VALUE_MAX)
    .toWellFormed()
    .replaceAll(/["\\\]]/g, '\\$&');
