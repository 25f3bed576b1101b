import { isIPv6 } from 'node:net';
import { VERSION } from '@ringfence/base';
import type { Item } from '../sink.ts';
import { cut, summaryOf, tenSeverity } from './summary.ts';

/** Longest value of an extension; ArcSight cuts custom strings at 4,000. */
const VALUE_MAX_CHARS = 4000;
const HEADER_MAX_CHARS = 512;

/** ArcSight's Common Event Format, version 0, one line. */
export function cef(item: Item): string {
  const summary = summaryOf(item);
  const header = ['CEF:0', 'Ringfence', 'Ringfence', VERSION, item.kind, summary.title].map(escapeHeader);
  const extension = Object.entries(extensionOf(item))
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${escapeValue(value)}`);
  return `${[...header, tenSeverity(summary.priority)].join('|')}|${extension.join(' ')}`;
}

function extensionOf(item: Item): Record<string, string> {
  const { document, id, group, at } = item;
  const summary = summaryOf(item);
  return {
    rt: String(Math.floor(at / 1000)),
    externalId: id,
    cat: summary.tactics.join(','),
    dvchost: summary.host,
    deviceExternalId: String(document['host.id'] ?? ''),
    msg: summary.text,
    suser: summary.user,
    sproc: summary.executable,
    spid: summary.pid,
    fname: summary.fields.get('file.path') ?? '',
    ...address('src', 'c6a2', 'Source IPv6 Address', summary.source.ip),
    ...address('dst', 'c6a3', 'Destination IPv6 Address', summary.destination.ip),
    dpt: summary.destination.port,
    act: String(document['event.action'] ?? ''),
    ...custom(1, 'techniques', summary.techniques.join(',')),
    ...custom(2, 'group', group),
    ...custom(3, 'container', summary.container),
    ...custom(4, 'parentProcess', summary.parent),
    ...custom(5, 'commandLine', summary.commandLine),
    ...custom(6, 'image', summary.image),
  };
}

const custom = (n: number, label: string, value: string): Record<string, string> =>
  value === '' ? {} : { [`cs${n}`]: value, [`cs${n}Label`]: label };

/** CEF has keys of its own for addresses of IPv6. */
function address(key: string, key6: string, label6: string, ip: string): Record<string, string> {
  return isIPv6(ip) ? { [key6]: ip, [`${key6}Label`]: label6 } : { [key]: ip };
}

/** A pipe ends a field of the header, so it is escaped; a newline would end the event, so it becomes a space. */
const escapeHeader = (text: string): string =>
  cut(text, HEADER_MAX_CHARS)
    .replaceAll(/[\\|]/g, '\\$&')
    .replaceAll(/\p{Cc}+/gu, ' ');

const escapeValue = (text: string): string =>
  cut(text, VALUE_MAX_CHARS)
    .replaceAll(/[\\=]/g, '\\$&')
    .replaceAll(/\r\n|\n/g, '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll(/\p{Cc}+/gu, ' ');
