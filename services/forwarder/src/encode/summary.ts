import { isIP } from 'node:net';
import { Priorities, type Priority } from '@ringfence/wire';
import type { Item, ItemKind } from '../sink.ts';

/** What people are shown of an item, taken from its document, so that dropped fields are not shown. Empty: unknown. */
export interface Summary {
  /** Name of the rule, title of the incident, or what was done */
  readonly title: string;
  /** One sentence */
  readonly text: string;
  readonly priority: Priority;
  readonly host: string;
  readonly user: string;
  readonly executable: string;
  readonly pid: string;
  readonly commandLine: string;
  readonly parent: string;
  readonly container: string;
  readonly image: string;
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  /** Empty: the item belongs to none, or it is not known */
  readonly incidentId: string;
  /** Fields of the event that the rule names, as text by field */
  readonly fields: ReadonlyMap<string, string>;
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** One side of a connection. What is no address or port is empty. */
export interface Endpoint {
  readonly ip: string;
  readonly port: string;
}

export function summaryOf(item: Item): Summary {
  const { document } = item;
  const fields = new Map([document['ringfence.alert.fields'] ?? []].flat().map(String).map(splitField));
  const all = (field: string): string[] => [document[field] ?? []].flat().map(String);
  const one = (field: string): string => all(field)[0] ?? '';
  return {
    title: titleOf(item),
    text: one('message'),
    priority: priorityOf(item),
    host: one('host.name') || one('host.id'),
    user: one('user.name'),
    executable: one('process.executable'),
    pid: one('process.pid'),
    commandLine: one('process.command_line'),
    parent: one('process.parent.executable'),
    container: one('container.name') || one('container.id'),
    image: one('container.image.name'),
    tactics: all('threat.tactic.name'),
    techniques: techniquesOf(all('threat.technique.id'), all('threat.technique.subtechnique.id')),
    incidentId: one('ringfence.incident.id'),
    fields,
    source: endpointOf(fields, 'source'),
    destination: endpointOf(fields, 'destination'),
  };
}

const TITLES: Readonly<Record<ItemKind, string>> = {
  alert: 'rule.name',
  incident: 'message',
  command: 'event.action',
  result: 'event.action',
  operator: 'event.action',
};

function titleOf({ kind, document }: Item): string {
  const name = TITLES[kind];
  return String([document[name] ?? kind].flat()[0]);
}

/** ECS has T1059 besides T1059.004, which says more. */
const techniquesOf = (techniques: readonly string[], subtechniques: readonly string[]): string[] =>
  techniques.flatMap((id) => {
    const own = subtechniques.filter((subtechnique) => subtechnique.startsWith(`${id}.`));
    return own.length === 0 ? [id] : own;
  });

/** The priority of what was done is that of a notice. */
function priorityOf({ kind, record }: Item): Priority {
  if (kind === 'alert') return record.priority;
  return kind === 'incident' ? record.severity : 'notice';
}

function splitField(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

function endpointOf(fields: ReadonlyMap<string, string>, side: 'source' | 'destination'): Endpoint {
  const [ip = '', port = ''] = [fields.get(`${side}.ip`), fields.get(`${side}.port`)];
  const isPort = /^\d{1,5}$/.test(port) && Number(port) <= 65_535;
  return { ip: isIP(ip) === 0 ? '' : ip, port: isPort ? port : '' };
}

/** Returns the beginning of a text; a character that is divided becomes U+FFFD. */
export const cut = (text: string, maxChars: number): string => text.slice(0, maxChars).toWellFormed();

/** Severity of RFC 5424: 7 is debug, 0 is emergency. */
export const syslogSeverity = (priority: Priority): number => 7 - Priorities.indexOf(priority);

/** Severity of CEF and LEEF, 0 to 10. */
export const tenSeverity = (priority: Priority): number => [0, 1, 3, 5, 7, 8, 9, 10][Priorities.indexOf(priority)]!;
