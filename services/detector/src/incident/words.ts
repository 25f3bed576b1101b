import { durationText } from '@ringfence/base';
import {
  addressText,
  type EventView,
  escapeText,
  KIND,
  type KindName,
  leafIndex,
  normalPath,
  type ProcessInfo,
  records,
} from '@ringfence/wire';
import type { Chain, ChainAlert, ChainProcess } from '../state/chain.ts';
import { argsText, userText } from '../steps/build-alert.ts';
import { deedInWords, happeningInWords, short, type ToldApart } from './deeds.ts';

const PATH_MAX = 256;
const COMMAND_MAX = 160;

const path = (text: string): string => short(escapeText(text), PATH_MAX);
/** `/usr/bin/curl (pid 12)` */
export const named = (process: ProcessInfo): string => label(escapeText(process.executable), process.raw.pid);
const label = (executable: string, pid: number): string =>
  executable === '' ? `process ${pid}` : `${short(executable, PATH_MAX)} (pid ${pid})`;
const known = (process: ChainProcess): string => label(process.executable, process.pid);

/** What happened, without its time: "root ran /tmp/x (pid 12), which /usr/bin/curl (pid 11) had written 8 ms before". */
export function deedOf(event: EventView): string {
  const { container } = event;
  if (container === undefined) return deed(event);
  return `${deed(event)} in container ${escapeText(container.name || container.id.slice(0, 12))}`;
}

/** What that means: "Download and execute (command and control, T1105)". */
function meaningOf({ rule, tactics, techniques }: ChainAlert): string {
  const labels = [...tactics.map(spaced), ...techniques];
  return labels.length === 0 ? rule : `${rule} (${labels.join(', ')})`;
}

function deed(event: EventView): string {
  const { process, cursor } = event;
  const happening = cursor.kind === KIND.Log ? logged(event) : happeningInWords(event);
  if (happening !== undefined) return happening;
  if (process === undefined) return `a process that is not known ${deedInWords(event) ?? 'did something'}`;
  return told.get(cursor.kind)?.(event, process) ?? `${named(process)} ${deedInWords(event)}`;
}

const log = {
  program: leafIndex('Log', 'program'),
  message: leafIndex('Log', 'message.bytes'),
  origin: leafIndex('Log', 'origin'),
};

function logged({ cursor }: EventView): string {
  const program = short(escapeText(cursor.leafText(log.program)), COMMAND_MAX);
  const unverified = cursor.leafText(log.origin) === 'filebeat' ? ', unverified' : '';
  const message = short(escapeText(cursor.leafText(log.message)), COMMAND_MAX);
  return `${program === '' ? 'a program' : program} logged "${message}"${unverified}`;
}

function ran(event: EventView, process: ProcessInfo): string {
  const args = argsText(process);
  const command = args === '' || args === escapeText(process.executable) ? '' : ` as "${short(args, COMMAND_MAX)}"`;
  const written =
    event.writtenAgo < 0
      ? ''
      : `, which ${event.writer === undefined ? 'somebody' : named(event.writer)} had written ${durationText(event.writtenAgo)} before`;
  return `${userText(process)} ran ${named(process)}${command}${written}`;
}

const open = {
  path: leafIndex('Open', 'path.bytes'),
  flags: leafIndex('Open', 'flags'),
  result: leafIndex('Open', 'result'),
};

function opened({ cursor }: EventView, process: ProcessInfo): string {
  const writing = (cursor.leafLong(open.flags) & 3) !== 0;
  const verb = cursor.leafLong(open.result) < 0 ? 'tried to open' : 'opened';
  return `${named(process)} ${verb} ${path(cursor.leafText(open.path))} ${writing ? 'for writing' : 'for reading'}`;
}

const change = {
  operation: leafIndex('FileChange', 'operation'),
  result: leafIndex('FileChange', 'result'),
  path: leafIndex('FileChange', 'path.bytes'),
  target: leafIndex('FileChange', 'target.bytes'),
};
const CHANGES = Object.fromEntries(
  Object.entries(records.FileOperation).map(([name, value]) => [value, name.replace('FILE_', '').toLowerCase()]),
);

function changed({ cursor }: EventView, process: ProcessInfo): string {
  const verb = cursor.leafLong(change.result) < 0 ? 'tried to' : 'did';
  const file = path(normalPath(cursor.leafText(change.path)));
  const target = path(cursor.leafText(change.target));
  const both = target === '' ? file : `${file} and ${target}`;
  return `${named(process)} ${verb} ${CHANGES[cursor.leafLong(change.operation)] ?? 'change'} ${both}`;
}

const connect = {
  address: leafIndex('Connect', 'address'),
  port: leafIndex('Connect', 'port'),
  path: leafIndex('Connect', 'path.bytes'),
  result: leafIndex('Connect', 'result'),
};
const EINPROGRESS = -115;

function connected({ cursor }: EventView, process: ProcessInfo): string {
  const result = cursor.leafLong(connect.result);
  const verb = result < 0 && result !== EINPROGRESS ? 'tried to connect' : 'connected';
  return `${named(process)} ${verb} to ${peerOf(cursor, connect)}`;
}

const datagram = {
  address: leafIndex('Datagram', 'address'),
  port: leafIndex('Datagram', 'port'),
  path: leafIndex('Datagram', 'path.bytes'),
  result: leafIndex('Datagram', 'result'),
};

/** Of unix sockets only what is sent is told, of others both ways in one. */
function exchanged({ cursor }: EventView, process: ProcessInfo): string {
  const isUnix = cursor.leafLength(datagram.address) === 0;
  const verb = cursor.leafLong(datagram.result) < 0 ? 'tried to send' : isUnix ? 'sent' : 'exchanged';
  const isTo = verb !== 'exchanged';
  return `${named(process)} ${verb} datagrams ${isTo ? 'to' : 'with'} ${peerOf(cursor, datagram)}`;
}

function peerOf(cursor: EventView['cursor'], leaves: Pick<typeof connect, 'address' | 'port' | 'path'>): string {
  const address = addressText(cursor.buffer, cursor.leafAt(leaves.address), cursor.leafLength(leaves.address));
  if (address !== undefined) return `${address} port ${cursor.leafLong(leaves.port)}`;
  return path(cursor.leafText(leaves.path)) || 'a socket without a name';
}

const redirect = {
  address: leafIndex('Redirect', 'address'),
  port: leafIndex('Redirect', 'port'),
  result: leafIndex('Redirect', 'result'),
  target: leafIndex('Redirect', 'targetDescriptor'),
};
const STREAMS = ['input', 'output', 'errors'];

function redirected({ cursor }: EventView, process: ProcessInfo): string {
  const verb = cursor.leafLong(redirect.result) < 0 ? 'tried to tie' : 'tied';
  const port = cursor.leafLong(redirect.port);
  const address = addressText(cursor.buffer, cursor.leafAt(redirect.address), cursor.leafLength(redirect.address));
  const peer = address === undefined || port === 0 ? 'a socket' : `the connection with ${address} port ${port}`;
  return `${named(process)} ${verb} its ${STREAMS[cursor.leafLong(redirect.target)] ?? 'stream'} to ${peer}`;
}

const uids = {
  before: leafIndex('CredentialsChange', 'before.euid'),
  after: leafIndex('CredentialsChange', 'after.euid'),
};

function becameSomebody({ cursor }: EventView, process: ProcessInfo): string {
  const [before, after] = [cursor.leafLong(uids.before), cursor.leafLong(uids.after)];
  return before === after
    ? `${named(process)} changed its privileges as uid ${after}`
    : `${named(process)} went from uid ${before} to uid ${after}`;
}

const attempt = { operation: leafIndex('Attempt', 'operation'), path: leafIndex('Attempt', 'path.bytes') };

function tried({ cursor }: EventView, process: ProcessInfo): string {
  const operation = cursor.leafLong(attempt.operation);
  if (operation === records.AttemptOperation.ATTEMPT_EXEC_FAILED)
    return `${named(process)} tried to run ${path(normalPath(cursor.leafText(attempt.path)))}`;
  const what = operation === records.AttemptOperation.ATTEMPT_FORK_FAILED ? 'start a process' : 'change its privileges';
  return `${named(process)} tried to ${what}`;
}

const TOLD: Readonly<Record<Exclude<ToldApart, 'Log'>, (event: EventView, process: ProcessInfo) => string>> = {
  Fork: (_, process) => `${named(process)} was started`,
  Exec: ran,
  Exit: (_, process) => `${named(process)} ended`,
  CredentialsChange: becameSomebody,
  Open: opened,
  Connect: connected,
  FileChange: changed,
  Datagram: exchanged,
  Attempt: tried,
  Redirect: redirected,
};
const told = new Map(Object.entries(TOLD).map(([kind, words]) => [KIND[kind as KindName], words]));

/** Why the first alert of a chain belongs to it. */
export const OPENED = 'opened this incident';

/** Why an alert belongs to a chain. `at`: how far up from its process the tie is; 0 is the process itself. */
export function whyTied(chain: Chain, tie: ProcessInfo, at: number): string {
  const earlier = chain.alerts.findLast(({ entityId }) => entityId === tie.entityId);
  if (at === 0 && earlier !== undefined) return `same process as in "${earlier.rule}"`;
  const deed = earlier === undefined ? beneath(chain, tie) : `raised "${earlier.rule}"`;
  if (at === 0) return `${named(tie)} is the process that ${deed}`;
  return `${at === 1 ? 'started by' : 'descends from'} ${named(tie)}, which ${deed}`;
}

/** What an ancestor has to do with the chain when it raised nothing itself. */
function beneath(chain: Chain, tie: ProcessInfo): string {
  const id = tie.entityId;
  for (const alert of chain.alerts.toReversed()) {
    let one = chain.processes.get(alert.entityId);
    for (let depth = 0; one !== undefined && depth < 64; depth++) {
      if (one.parentEntityId === id) return `also started ${known(one)}, where "${alert.rule}" was raised`;
      one = chain.processes.get(one.parentEntityId);
    }
  }
  return 'has a part in this chain';
}

/** "/usr/bin/curl (pid 11) wrote /tmp/x, which /bin/bash (pid 10) executed 3 s later" */
export function whyWritten(writer: ProcessInfo, ran: ProcessInfo | undefined, agoMicros: number): string {
  const file = ran === undefined ? 'a file' : path(ran.executable);
  const by = ran?.parent === undefined ? 'was' : `${named(ran.parent)}`;
  return `${named(writer)} wrote ${file}, which ${by} executed ${durationText(agoMicros)} later`;
}

/** Of what opened an incident that is none of its own any more. */
export const partOfThis = (id: string, why: string): string =>
  `opened ${id}, which turned out to be part of this incident: ${why}`;

export const spaced = (tactic: string): string => tactic.replaceAll('-', ' ');

/** One line per deed in the order of time, with all that it means. */
export function storyOf(alerts: readonly ChainAlert[]): string[] {
  const deeds = new Map<string, ChainAlert[]>();
  for (const alert of alerts.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const line = `${clock(alert.timestamp)} ${alert.deed}`;
    deeds.set(line, [...(deeds.get(line) ?? []), alert]);
  }
  return [...deeds].map(([line, meanings]) => `${line}: ${meanings.map(meaningOf).join('; ')}${repeated(meanings)}`);
}

function repeated(alerts: readonly ChainAlert[]): string {
  const more = Math.max(...alerts.map(({ count }) => count)) - 1;
  return more === 0
    ? ''
    : `; ${more} more like it until ${clock(Math.max(...alerts.map(({ lastTimestamp }) => lastTimestamp)))}`;
}

/** 14:02:11, UTC */
export const clock = (micros: number): string => new Date(Math.floor(micros / 1000)).toISOString().slice(11, 19);
