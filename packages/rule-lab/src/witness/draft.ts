import { fieldNamed } from '@ringfence/fields';
import { type Constraint, isPositive } from './constraint.ts';
import { type Entries, entriesOf, type Group, groupsOf } from './groups.ts';
import { logLines } from './log-lines.ts';
import { IDENTITIES } from './player.ts';

/** The number of a group's values that were tried in vain. */
export type Tries = ReadonlyMap<string, number>;

/** A group of constraints for which there is no further value. */
export interface Stuck {
  readonly stuck: Group;
}

const action = fieldNamed('event.action')!;
const LOG: Group['name'] = 'log';
/** A constraint on these is about the sender of a line, and given by its own key. */
const WRITER_OF_FILE = 'writer';

export interface DraftOptions {
  readonly kind: string;
  readonly tries: Tries;
  /** Process ids by the identities of processes. */
  readonly pids: ReadonlyMap<string, number>;
  /** Entries that the event has unless a constraint says otherwise. */
  readonly usual: Entries;
}

/** Returns the events that should satisfy the constraints on one event of the kind: it is the last of them. */
export function draft(
  constraints: readonly Constraint[],
  { kind, tries, pids, usual }: DraftOptions,
): readonly Entries[] | Stuck {
  const groups: readonly Group[] =
    kind === 'log' ? [{ name: LOG, constraints, isDemanded: true }] : groupsOf(constraints);
  let entries: Entries = kind === 'log' ? {} : { 'event.action': actionOf(kind, tries), ...usual };
  for (const group of groups) {
    const found = entriesAt(group, kind, tries.get(group.name) ?? 0, pids);
    if (found === undefined) return { stuck: group };
    entries = { ...entries, ...found };
  }
  if ('container.image.tag' in entries) entries = { 'container.image.repository': 'shop/web', ...entries };
  if (kind === 'io_uring') entries = { 'io_uring.flags': 0, ...entries };
  // Families other than IP and Unix have no streams.
  if (kind === 'socket') entries = { 'ringfence.socket.type': 'raw', ...entries };
  if (entries['process.exec.memfd'] === true) entries = { 'process.executable': '/memfd:x', ...entries };
  if (kind === 'fork') entries = forked(entries);
  return withAge(withNames(withWriter(withLineage(entries))), constraints);
}

/** Returns the entries of a group's next value; undefined: there is none. */
function entriesAt(group: Group, kind: string, tried: number, pids: ReadonlyMap<string, number>): Entries | undefined {
  const { name, constraints, isDemanded } = group;
  if (!isDemanded && tried === 0) return {};
  const identity = IDENTITIES[name];
  if (identity !== undefined) return identified(constraints, identity, pids);
  let index = isDemanded ? tried : tried - 1;
  for (const entries of name === LOG ? logLines(constraints) : entriesOf(group, kind))
    if (index-- === 0) return entries;
  return undefined;
}

/** A process is identified by its pid. */
function identified(
  constraints: readonly Constraint[],
  key: string,
  pids: ReadonlyMap<string, number>,
): Entries | undefined {
  const wanted = constraints.find((one) => isPositive(one) && one.test.operator === 'equals')?.test.values[0];
  if (wanted === undefined) return key === 'process.target.pid' ? { target: '/usr/bin/sleep 1000' } : {};
  const pid = pids.get(String(wanted));
  return pid === undefined ? undefined : { [key]: pid };
}

function actionOf(kind: string, tries: Tries): string {
  const constant = action.constants?.[kind];
  if (constant !== undefined) return String(constant);
  const possible = action.values?.[kind] ?? [];
  return possible[(tries.get('event.action') ?? 0) % Math.max(1, possible.length)] ?? kind;
}

/** A copy runs the program of its parent. */
function forked({ 'process.executable': path, 'process.args': args, ...entries }: Entries): Entries {
  if (path === undefined) return entries;
  const line = args === undefined ? {} : { 'process.parent.command_line': (args as readonly string[]).join(' ') };
  return { ...entries, 'process.parent.executable': path, ...line };
}

/** The list of ancestors begins with the parent. */
function withLineage(entries: Entries): Entries {
  const ancestors = entries['process.ancestors.executable'] as readonly string[] | undefined;
  if (ancestors === undefined) return entries;
  const parent = entries['process.parent.executable'] ?? ancestors[0];
  return {
    ...entries,
    'process.parent.executable': parent,
    'process.ancestors.executable': [parent, ...ancestors.slice(1)],
  };
}

/** A file that was written is written by an event before. */
function withWriter({ [WRITER_OF_FILE]: writer, ...entries }: Entries): readonly Entries[] {
  const needed = writer ?? (needsWriting(entries) ? '/usr/bin/cp' : undefined);
  if (needed === undefined) return [entries];
  const { 'process.exec.written_ago': _, 'process.exec.writer.same_container': __, ...rest } = entries;
  const path = rest['process.executable'] ?? '/tmp/x';
  const container = pick(rest, (key) => key.startsWith('container.'));
  const write = {
    'event.action': 'open',
    'file.path': path,
    'file.open.write': true,
    'process.executable': needed,
    ...container,
  };
  return [write, { ...rest, 'process.executable': path }];
}

/** Names of addresses come from answers of name servers. */
function withNames(events: readonly Entries[]): readonly Entries[] {
  const last = events.at(-1) ?? {};
  const ends = ['source', 'destination'].flatMap((end) => {
    const names = last[`${end}.domain`] as readonly string[] | undefined;
    return names === undefined ? [] : [{ name: names[0], ip: last[`${end}.ip`] ?? '203.0.113.9', key: `${end}.ip` }];
  });
  if (ends.length === 0) return events;
  const { 'source.domain': _, 'destination.domain': __, ...rest } = last;
  const addresses = Object.fromEntries(ends.map(({ key, ip }) => [key, ip]));
  const answers = ends.map(({ name, ip }) => ({
    'event.action': 'dns',
    'dns.type': 'answer',
    'dns.question.name': name,
    'dns.resolved_ip': [ip],
    ...pick(rest, (key) => /^(?:process|user|container)\./.test(key)),
  }));
  return [...answers, ...events.slice(0, -1), { ...rest, ...addresses }];
}

/** A process that is to be old does something harmless first. */
function withAge(events: readonly Entries[], constraints: readonly Constraint[]): readonly Entries[] {
  const { age, ...last } = events.at(-1) ?? {};
  if (age === undefined) return events;
  const isSeconds = constraints.some(({ test }) => test.operand.field.name === 'process.uptime');
  const seconds = Math.ceil(Number(age) / (isSeconds ? 1 : 1e9));
  const pid = last['process.pid'] ?? 5000;
  const about = pick(last, (key) => /^(?:process|user|container)\./.test(key) && !/^process\.exi/.test(key));
  const before = { 'event.action': 'open', 'file.path': '/etc/hostname', ...about, 'process.pid': pid };
  return [...events.slice(0, -1), before, { ...last, 'process.pid': pid, after: `${seconds}s` }];
}

const pick = (entries: Entries, wanted: (key: string) => boolean): Entries =>
  Object.fromEntries(Object.entries(entries).filter(([key]) => wanted(key)));

const needsWriting = (entries: Entries): boolean =>
  'process.exec.written_ago' in entries || 'process.exec.writer.same_container' in entries;
