import { VERSION } from '@ringfence/base';
import type { Item } from '../sink.ts';
import { cef } from './cef.ts';
import { ecsLine } from './json.ts';
import { leef } from './leef.ts';
import { summaryOf, syslogSeverity } from './summary.ts';

export const FORMATS: Readonly<Record<'json' | 'cef' | 'leef', (item: Item) => string>> = { json: ecsLine, cef, leef };

export const FACILITIES: readonly string[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'clock'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];

/** One message of RFC 5424, without a frame. The origin is the only structured data that needs no number of IANA. */
export function syslogMessage(item: Item, facility: number, format: keyof typeof FORMATS): string {
  const summary = summaryOf(item);
  const priority = facility * 8 + syslogSeverity(summary.priority);
  const time = new Date(item.at / 1000).toISOString();
  const host = printable(summary.host, 255);
  const head = `<${priority}>1 ${time} ${host} ringfence - ${item.kind}`;
  return `${head} [origin software="ringfence" swVersion="${VERSION}"] ${FORMATS[format](item)}`;
}

/** A field of the header: printable ASCII without spaces. */
const printable = (text: string, max: number): string => text.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, max) || '-';
