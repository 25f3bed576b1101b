import { catalogue, type EventView, escapeText, eventKinds } from '@ringfence/schema';

const VALUE_MAX = 160;

/**
 * What a process did, by the kind of the event. What stands between two bars is left out where one of its fields has no value.
 */
const DEEDS: Readonly<Record<string, string>> = {
  accept: 'accepted a connection| from {source.ip}| port {source.port}',
  mount_change: 'did {event.action}| {mount.source}| on {mount.target}',
  memory: 'did {event.action}| {memory.protection} memory| of {memory.path}',
  signal: 'sent {signal.name}| to process {process.target.pid}',
  fault: 'was stopped by the kernel| with {signal.name}',
  process_access: 'did {event.action}| {ptrace.request}| to process {process.target.pid}',
  isolation: 'did {event.action}| {process.clone.flags}',
  capability: 'used {capability.name}',
  module: 'did {event.action}| kernel module {kernel.module.name}| from {kernel.module.path}',
  bpf: 'did bpf {bpf.command}| {bpf.program.type}| {bpf.name}| {bpf.path}',
  system_change: 'did {event.action}| {system.text}',
  sysctl: 'set {sysctl.name}| to "{sysctl.value}"',
  io_uring: 'did {event.action}| {file.path}| {destination.ip} port {destination.port}| by io_uring',
  socket: 'did {event.action}| on {network.unix.path}| ({ringfence.socket.family})| on port {destination.port}',
  datagram: 'exchanged datagrams| between {source.ip} port {source.port}| and {destination.ip} port {destination.port}',
  packet: 'exchanged {network.protocol}| about {dns.question.name}| with {tls.client.server_name}',
  flow: 'had a connection| with {destination.ip} port {destination.port}',
  authentication: 'asked PAM| as {ringfence.pam.service}| for {ringfence.pam.user}',
  shell_line: 'was told "{ringfence.shell.line}"',
  tls_data: 'talked over TLS',
  hash: 'ran a file whose content is known now',
  tampering: 'did {event.action}| to process {process.target.pid}',
  probe: 'came to {probe.name}',
};
/** What happened without a process. */
const EVENTS: Readonly<Record<string, string>> = {
  finding: 'the check {integrity.check} found {integrity.subject}|: {integrity.detail}',
  silence: 'nothing was heard of the host',
};

type Say = (event: EventView) => string;
const said = (table: Readonly<Record<string, string>>): ReadonlyMap<number, Say> =>
  new Map(
    eventKinds.names.flatMap((kind, number): [number, Say][] =>
      Object.hasOwn(table, kind) ? [[number, template(kind, table[kind]!)]] : [],
    ),
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
    for (const { first, values } of parts) {
      const shown = values.map(({ get, after }) => [get(event), after] as const);
      if (shown.every(([value]) => value !== undefined))
        words += first + shown.map(([value, after]) => `${value}${after}`).join('');
    }
    return words;
  };
}

function shownOf(kind: string, name: string): (event: EventView) => string | undefined {
  const field = catalogue.fields.find((one) => one.name === name);
  if (field === undefined || field.kinds?.includes(kind) === false) throw new TypeError(`${kind} has no ${name}`);
  return (event) => {
    const value = field.get(event);
    if (value === undefined) return undefined;
    const text = escapeText(typeof value === 'object' ? value.join('|') : String(value));
    return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
  };
}

const deeds = said(DEEDS);
const events = said(EVENTS);

const outcome = catalogue.fields.find(({ name }) => name === 'event.outcome')!;

/** What the process of an event did; undefined: there is no word for it. */
export function deedInWords(event: EventView): string | undefined {
  const words = deeds.get(eventKinds.of(event))?.(event);
  if (words === undefined || outcome.get(event) !== 'failure') return words;
  return words.startsWith('did ') ? words.replace('did', 'tried to') : `${words}, in vain`;
}

/** What happened, of an event that has no process. */
export const eventInWords = (event: EventView): string | undefined => events.get(eventKinds.of(event))?.(event);
