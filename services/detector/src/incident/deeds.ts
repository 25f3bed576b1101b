import { catalogue } from '@ringfence/fields';
import { type EventView, escapeText, KIND, type KindName, kindName, leafIndex } from '@ringfence/wire';

const VALUE_MAX = 160;

export const short = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);

/** Kinds whose words are more than a template: words.ts has them. */
export type ToldApart =
  | 'Log'
  | 'Fork'
  | 'Exec'
  | 'Exit'
  | 'CredentialsChange'
  | 'Open'
  | 'Connect'
  | 'FileChange'
  | 'Datagram'
  | 'Attempt'
  | 'Redirect';

/** Kinds that no process does. */
type Happening =
  | 'Tick'
  | 'Gap'
  | 'UserContext'
  | 'ContainerContext'
  | 'MountContext'
  | 'HostContext'
  | 'Throttled'
  | 'Finding'
  | 'Silence';

/**
 * What a process did, by the kind of the event. What stands between two bars is left out where one of its fields has no value.
 */
const DEEDS: Readonly<Record<Exclude<KindName, ToldApart | Happening>, string>> = {
  Accept: 'accepted a connection| from {source.ip}| port {source.port}',
  MountChange: 'did {event.action}| {mount.source}| on {mount.target}',
  Memory: 'did {event.action}| {memory.protection} memory| of {memory.path}',
  Signal: 'sent {signal.name}| to process {process.target.pid}',
  Fault: 'was stopped by the kernel| with {signal.name}',
  ProcessAccess: 'did {event.action}| {ptrace.request}| to process {process.target.pid}',
  Isolation: 'did {event.action}| {process.clone.flags}',
  Capability: 'used {capability.name}',
  Module: 'did {event.action}| kernel module {kernel.module.name}| from {kernel.module.path}',
  Bpf: 'did bpf {bpf.command}| {bpf.program.type}| {bpf.name}| {bpf.path}',
  SystemChange: 'did {event.action}| {system.text}',
  Sysctl: 'set {sysctl.name}| to "{sysctl.value}"',
  IoUring: 'did {event.action}| {file.path}| {destination.ip} port {destination.port}| by io_uring',
  Socket: 'did {event.action}| on {network.unix.path}| ({ringfence.socket.family})| on port {destination.port}',
  Packet: 'exchanged {network.protocol}| about {dns.question.name}| with {tls.client.server_name}',
  Flow: 'had a connection| with {destination.ip} port {destination.port}',
  Authentication: 'asked PAM| as {ringfence.pam.service}| for {ringfence.pam.user}',
  ShellLine: 'was told "{ringfence.shell.line}"',
  TlsData: 'talked over TLS',
  Hash: 'ran a file whose content is known now',
  Tampering: 'did {event.action}| to process {process.target.pid}',
  Probe: 'came to {probe.name}',
};
/** What happened without a process. */
const HAPPENINGS: Readonly<Record<Happening, string>> = {
  Tick: 'the agent was heard of',
  Gap: 'events were lost',
  UserContext: 'the agent told who users are',
  ContainerContext: 'the agent told of a container',
  MountContext: 'the agent told what is mounted',
  HostContext: 'the agent told of the host',
  Throttled: '{event.count} events| of the kind {throttled.kind}| were held back, beyond the share of their cgroup',
  Finding: 'the check {integrity.check} found {integrity.subject}|: {integrity.detail}',
  Silence: 'nothing was heard of the host',
};

const UNNAMED = 'acted in a way that has no name here';

type Say = (event: EventView) => string;
const said = (table: Readonly<Partial<Record<KindName, string>>>): ReadonlyMap<number, Say> =>
  new Map(
    (Object.entries(table) as [KindName, string][]).map(([kind, text]) => [KIND[kind], template(kindName(kind), text)]),
  );

function template(kind: string, text: string): Say {
  const parts = text.split('|').map((part) => {
    const [first = '', ...rest] = part.split('{');
    return {
      first,
      values: rest
        .map((one) => one.split('}') as [string, string])
        .map(([name, after]) => ({ get: shownOf(kind, name), after })),
    };
  });
  return (event) => {
    let words = '';
    for (const [at, { first, values }] of parts.entries()) {
      const shown = values.map(({ get, after }) => [get(event), after] as const);
      if (shown.every(([value]) => value !== undefined))
        words += first + shown.map(([value, after]) => `${value}${after}`).join('');
      // What a later agent does may have no name here.
      else if (at === 0) return UNNAMED;
    }
    return words;
  };
}

function shownOf(kind: string, name: string): (event: EventView) => string | undefined {
  const field = catalogue.fields.find((one) => one.name === name);
  if (field === undefined || field.kinds?.includes(kind) === false) throw new TypeError(`${kind} has no ${name}`);
  return (event) => {
    const value = field.get(event);
    if (value === undefined || value === '') return undefined;
    return short(escapeText(typeof value === 'object' ? value.join('|') : String(value)), VALUE_MAX);
  };
}

const deeds = said(DEEDS);
const happenings = said(HAPPENINGS);

const outcome = catalogue.fields.find(({ name }) => name === 'event.outcome')!;

/** What the process of an event did; undefined: its kind is not one that processes do, or told apart. */
export function deedInWords(event: EventView): string | undefined {
  const words = deeds.get(event.cursor.kind)?.(event);
  if (words === undefined || outcome.get(event) !== 'failure') return words;
  return words.startsWith('did ') ? words.replace('did', 'tried to') : `${words}, in vain`;
}

const silence = leafIndex('Silence', 'operation');
const HEARD = 2;

/** What happened, of an event that no process did. */
export function happeningInWords(event: EventView): string | undefined {
  const { cursor } = event;
  if (cursor.kind === KIND.Silence && cursor.leafLong(silence) === HEARD) return 'the host was heard of again';
  return happenings.get(cursor.kind)?.(event);
}
