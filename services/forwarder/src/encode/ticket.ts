import type { Incident, Priority } from '@ringfence/wire';
import { z } from 'zod';
import type { ItemOf } from '../sink.ts';
import { summaryOf } from './summary.ts';
import { lineOf } from './text.ts';

const TITLE_MAX_CHARS = 200;
const VALUE_MAX_CHARS = 500;
const LINE_MAX_CHARS = 300;
const STORY_LINES = 20;
const HISTORY_LINES = 8;
const LISTED = 10;

/** Settings of the kinds that make a ticket of an incident. */
export const ticketShape: Readonly<{
  link: z.ZodOptional<z.ZodType<string>>;
  closes: z.ZodDefault<z.ZodEnum<{ decided: 'decided'; ended: 'ended' }>>;
}> = {
  /** Address of an incident in a console of yours; `{id}` becomes its id. */
  link: z
    .string()
    .regex(/^https:\/\/[^\p{Cc}\s<>"|]{1,1000}$/u, 'expected https://…/{id}')
    .refine((text) => text.includes('{id}'), 'expected {id} in it')
    .optional(),
  /** `decided`: a ticket closes when people close the incident; `ended`: also when the incident no longer grows. */
  closes: z.enum(['decided', 'ended']).default('decided'),
};

export interface TicketSettings {
  readonly link?: string | undefined;
  readonly closes: 'decided' | 'ended';
}

/** `triaged`: people have seen it; `contained`: a process of it was killed, or people say so */
export type Phase = 'open' | 'triaged' | 'contained' | 'closed';

/** What people are shown of an incident. Each text is one line; markup is the encoders' to escape. */
export interface Ticket {
  readonly id: string;
  readonly title: string;
  readonly severity: Priority;
  readonly phase: Phase;
  /** "contained, no longer growing", "closed, false positive", "part of incident 12ab" */
  readonly status: string;
  /** Name of the first host, or its id */
  readonly host: string;
  readonly hostId: string;
  readonly version: number;
  /** When the first alert was raised, ISO 8601; empty: the sink drops `event.start` */
  readonly since: string;
  /** Label and value, in the order in which people ask; without empty values */
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** The first lines, and how many more there are */
  readonly story: readonly string[];
  /** The latest decisions and responses, oldest first */
  readonly done: readonly string[];
  /** Command that shows the whole incident */
  readonly command: string;
  /** Empty: no console is set */
  readonly link: string;
}

/** The part of the record that its document carries along; missing if the sink drops the field. */
type Whole = Partial<
  Pick<Incident, 'stages' | 'history' | 'processes' | 'alerts' | 'omittedAlerts' | 'hostId' | 'hostname' | 'joined'>
>;

/** Returns what a ticket says about an incident. */
export function ticketOf(item: ItemOf<'incident'>, { link = '', closes }: TicketSettings): Ticket {
  const { document, record, group } = item;
  const { title, container, image } = summaryOf(item);
  const id = group.replaceAll(/[^\w.:-]/g, '_').slice(0, 100);
  const whole = (document['ringfence.incident.whole'] ?? {}) as Whole;
  const [since = ''] = textsOf(document['event.start']);
  const [hostId = ''] = textsOf(document['host.id']);
  const names = namesOf(whole);
  const hosts = textsOf(document['ringfence.incident.hosts']);
  const command = `ringfence incident show ${id}`;
  const status = statusOf(record);
  const facts: readonly (readonly [string, string])[] = [
    ['Severity', `${record.severity}, score ${Math.round(record.score)}`],
    ['Status', status],
    ['Hosts', listOf(hosts.map((host) => (names.has(host) ? `${names.get(host)} (${host})` : host)))],
    ['Container', image === '' ? container : `${container} (image ${image})`],
    ['Stages', stagesOf(item, whole)],
    ['Alerts', countsOf(whole)],
    ['Time', [since, ...textsOf(document['event.end'])].map(secondOf).filter(Boolean).join(' to ')],
    ['Details', command],
  ];
  return {
    id,
    title: lineOf(title, TITLE_MAX_CHARS) || `Incident ${id}`,
    severity: record.severity,
    phase: phaseOf(record, closes),
    status: lineOf(status, VALUE_MAX_CHARS),
    host: lineOf(names.get(hostId) ?? summaryOf(item).host, VALUE_MAX_CHARS),
    hostId: lineOf(hostId, VALUE_MAX_CHARS),
    version: record.version,
    since,
    facts: facts.map(([label, value]) => [label, lineOf(value, VALUE_MAX_CHARS)] as const).filter(([, value]) => value),
    story: storyOf(textsOf(document['ringfence.incident.story'])),
    done: doneOf(whole),
    command,
    link: link.replaceAll('{id}', encodeURIComponent(id)),
  };
}

function phaseOf({ state, status }: Incident, closes: TicketSettings['closes']): Phase {
  if (state === 'merged' || status === 'closed' || (state === 'closed' && closes === 'ended')) return 'closed';
  return status === 'new' ? 'open' : status;
}

function statusOf({ state, status, verdict, mergedInto }: Incident): string {
  if (state === 'merged') return `part of incident ${mergedInto}`;
  const decided = verdict === 'undecided' ? '' : `, ${verdict.replace('_', ' ')}`;
  return `${status}${decided}${state === 'closed' && status !== 'closed' ? ', no longer growing' : ''}`;
}

/** "initial access (T1190), execution (T1059.004)" */
function stagesOf(item: ItemOf<'incident'>, { stages }: Whole): string {
  const { tactics, techniques } = summaryOf(item);
  if (stages === undefined) return listOf([...tactics, ...techniques]);
  // The document has the stages also when the sink drops their fields.
  const known = new Set(techniques);
  const shown = stages.filter(({ tactic }) => tactics.includes(tactic));
  return listOf(
    shown.map((stage) => {
      const ids = stage.techniques.filter((id) => known.has(id));
      return `${stage.tactic.replaceAll('-', ' ')}${ids.length === 0 ? '' : ` (${ids.join(', ')})`}`;
    }),
    shown.length,
  );
}

function countsOf({ alerts, omittedAlerts = 0, processes = [] }: Whole): string {
  if (alerts === undefined) return '';
  const count = alerts.reduce((sum, alert) => sum + alert.count, omittedAlerts);
  return `${count}, by ${processes.length} ${processes.length === 1 ? 'process' : 'processes'}`;
}

const doneOf = ({ history = [] }: Whole): string[] =>
  history
    .slice(-HISTORY_LINES)
    .map(({ at, status, by, note }) =>
      lineOf(`${isoOf(at)} ${status} by ${by}${note === '' ? '' : `: ${note}`}`, LINE_MAX_CHARS),
    );

function storyOf(lines: readonly string[]): string[] {
  const shown = lines.slice(0, STORY_LINES).map((line) => lineOf(line, LINE_MAX_CHARS) || '-');
  return lines.length > STORY_LINES ? [...shown, `and ${lines.length - STORY_LINES} more lines`] : shown;
}

/** Names of hosts by their ids, as far as they are known */
const namesOf = ({ hostId = '', hostname = '', joined = [] }: Whole): ReadonlyMap<string, string> =>
  new Map(
    [...joined, { hostId, hostname }].filter((host) => host.hostname).map((host) => [host.hostId, host.hostname]),
  );

const textsOf = (value: unknown): string[] => [value ?? []].flat().map(String);

const listOf = (values: readonly string[], listed = LISTED): string =>
  values.length <= listed
    ? values.join(', ')
    : `${values.slice(0, listed).join(', ')} and ${values.length - listed} more`;

/** "2026-09-21T14:13:20Z" */
const secondOf = (iso: string): string => (iso === '' ? '' : `${iso.slice(0, 19)}Z`);

/** Time of a hostile record, which can be any number */
function isoOf(micros: number): string {
  const time = new Date(micros / 1000);
  return Number.isNaN(time.getTime()) ? 'at an unknown time' : secondOf(time.toISOString());
}
