import { VERSION } from '@ringfence/base';
import type { Item } from '../sink.ts';
import { cut, summaryOf, tenSeverity } from './summary.ts';

const VALUE_MAX_CHARS = 4000;
const HEADER_MAX_CHARS = 512;
/** LEEF has no escape: what would end a value becomes a space. */
const clean = (text: string): string => cut(text, VALUE_MAX_CHARS).replaceAll(/\p{Cc}+/gu, ' ');
const cleanHeader = (text: string): string => clean(cut(text, HEADER_MAX_CHARS)).replaceAll('|', ' ');

/** IBM QRadar's Log Event Extended Format 2.0, one line, with tabs between the attributes. */
export function leef(item: Item): string {
  const { document, kind, id, group, at } = item;
  const summary = summaryOf(item);
  const attributes: Record<string, string> = {
    devTime: new Date(at / 1000).toISOString(),
    devTimeFormat: "yyyy-MM-dd'T'HH:mm:ss.SSSX",
    cat: kind,
    sev: String(Math.max(1, tenSeverity(summary.priority))),
    identHostName: summary.host,
    usrName: summary.user,
    src: summary.source.ip,
    dst: summary.destination.ip,
    dstPort: summary.destination.port,
    resource: summary.fields.get('file.path') ?? '',
    eventUid: id,
    group,
    hostId: String(document['host.id'] ?? ''),
    msg: summary.text,
    process: summary.executable,
    processId: summary.pid,
    commandLine: summary.commandLine,
    parentProcess: summary.parent,
    container: summary.container,
    image: summary.image,
    tactics: summary.tactics.join(','),
    techniques: summary.techniques.join(','),
  };
  const header = ['LEEF:2.0', 'Ringfence', 'Ringfence', VERSION, summary.title].map(cleanHeader).join('|');
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${clean(value)}`);
  return `${header}|x09|${pairs.join('\t')}`;
}
