import { durationText } from '@ringfence/base';
import type { IncidentAction, IncidentAlert } from '@ringfence/wire';
import { nameOf } from './words.ts';

const ID_SHOWN = 12;
const STREAMS: Readonly<Record<string, string>> = { 0: 'input', 1: 'output', 2: 'errors' };

type Acting = Pick<IncidentAlert, 'action' | 'process' | 'containerId' | 'containerName'>;

/** Returns the action without its time: "/bin/sh (pid 12) opened /etc/crontab for writing in container web-1". */
export function actionText(acting: Acting): string {
  const { containerId, containerName } = acting;
  if (containerId === '' && containerName === '') return sentenceOf(acting);
  return `${sentenceOf(acting)} in container ${containerName || containerId.slice(0, ID_SHOWN)}`;
}

function sentenceOf({ action, process }: Acting): string {
  if (action === null) return '';
  const withoutProcess = WITHOUT_PROCESS[action.kind];
  if (withoutProcess !== undefined) return withoutProcess(action);
  if (process === null) return `an unknown process ${verbOf(action) ?? 'acted'}`;
  if (action.kind === 'exec') return execText(action, `${process.user} ran ${nameOf(process)}`);
  return `${nameOf(process)} ${verbOf(action) ?? UNNAMED}`;
}

const UNNAMED = 'acted in a way that this version has no words for';

type Sentence = (action: IncidentAction) => string;

const DID = '{did}';

/**
 * Actions of a process by the kind of the event. A part between two bars is left out if one of its fields has no value.
 * `{event.action}` is the action's operation, and `{did}` becomes "tried to" if the action failed.
 */
const TEMPLATES: Readonly<Record<string, string>> = {
  accept: 'accepted a connection| from {source.ip}| port {source.port}',
  mount_change: '{did} {event.action}| {mount.source}| on {mount.target}',
  memory: '{did} {event.action}| {memory.protection} memory| of {memory.path}',
  signal: 'sent {signal.name}| to process {process.target.pid}',
  fault: 'was stopped by the kernel| with {signal.name}',
  process_access: '{did} {event.action}| {ptrace.request}| to process {process.target.pid}',
  isolation: '{did} {event.action}| {process.clone.flags}',
  capability: 'used {capability.name}',
  module: '{did} {event.action}| kernel module {kernel.module.name}| from {kernel.module.path}',
  bpf: '{did} bpf {bpf.command}| {bpf.program.type}| {bpf.name}| {bpf.path}',
  system_change: '{did} {event.action}| {system.text}',
  sysctl: 'set {sysctl.name}| to "{sysctl.value}"',
  io_uring:
    '{did} {event.action}| {file.path}| as {file.reached_path}| {destination.ip} port {destination.port}| by io_uring',
  socket: '{did} {event.action}| on {network.unix.path}| ({ringfence.socket.family})| on port {destination.port}',
  packet: 'exchanged {network.protocol}| about {dns.question.name}| with {tls.client.server_name}',
  flow: 'had a connection| with {destination.ip} port {destination.port}',
  authentication: 'asked PAM| as {ringfence.pam.service}| to authenticate {ringfence.pam.user}',
  shell_line: 'was given the line "{ringfence.shell.line}"',
  tls_data: 'sent or received data over TLS',
  hash: 'ran a file whose hash is known now',
  tampering: '{did} {event.action}| to process {process.target.pid}',
  probe: 'reached the probe {probe.name}',
  fork: 'was started',
  exit: 'ended',
};

/** Sentences that depend on more than the presence of fields. */
const VERBS: Readonly<Record<string, Sentence>> = {
  open: ({ failed, objects }) => {
    const { 'file.path': path = '', 'file.reached_path': reached } = objects;
    const file = reached === undefined ? path : `${path}, as ${reached},`;
    return `${failed ? 'tried to open' : 'opened'} ${file} ${objects['file.open.write'] === 'true' ? 'for writing' : 'for reading'}`;
  },
  connect: ({ failed, objects }) => `${failed ? 'tried to connect' : 'connected'} to ${peerOf(objects)}`,
  file_change: ({ failed, operation, objects }) => {
    const { 'file.path': path = '', 'file.target_path': target = '', 'file.xattr': attribute = '' } = objects;
    const place = target === '' ? path : `${path} and ${target}`;
    const change = `${failed ? 'tried to' : 'did'} ${operation === '' ? 'change' : operation}`;
    return attribute === '' ? `${change} ${place}` : `${change} ${attribute} of ${place}`;
  },
  // The sensor reports only datagrams sent to a unix socket; for other sockets both directions are one event.
  datagram: ({ failed, objects }) => {
    const isUnix = objects['destination.ip'] === undefined;
    const verb = failed ? 'tried to send' : isUnix ? 'sent' : 'exchanged';
    return `${verb} datagrams ${verb === 'exchanged' ? 'with' : 'to'} ${peerOf(objects)}`;
  },
  redirect: ({ failed, objects }) => {
    const { 'peer.ip': address, 'peer.port': port = '0' } = objects;
    const peer = address === undefined || port === '0' ? 'a socket' : `the connection with ${address} port ${port}`;
    const stream = STREAMS[objects['redirect.descriptor'] ?? ''] ?? 'stream';
    return `${failed ? 'tried to redirect' : 'redirected'} its ${stream} to ${peer}`;
  },
  credentials: ({ objects }) => {
    const { 'user.before.effective.id': before = 'unknown', 'user.changes.effective.id': after = 'unknown' } = objects;
    return before === after ? `changed its privileges as uid ${after}` : `went from uid ${before} to uid ${after}`;
  },
  attempt: ({ operation, objects }) => {
    if (operation === 'exec_failed') return `tried to run ${objects['attempt.path'] ?? ''}`;
    return `tried to ${operation === 'fork_failed' ? 'start a process' : 'change its privileges'}`;
  },
};

/** Events that no process caused. */
const WITHOUT_PROCESS: Readonly<Record<string, Sentence>> = {
  log: ({ objects }) => {
    if (objects['event.provider'] !== undefined)
      return `${objects['event.provider']} raised the alert "${objects['rule.name'] ?? ''}"`;
    const unverified = objects['log.origin'] === 'filebeat' ? ', unverified' : '';
    return `${objects['log.syslog.appname'] ?? 'a program'} logged "${objects['message'] ?? ''}"${unverified}`;
  },
  tick: () => 'the agent reported the time',
  gap: () => 'events were lost',
  user_context: () => 'the agent reported a user',
  container_context: () => 'the agent reported a container',
  mount_context: () => 'the agent reported a mount',
  host_context: () => 'the agent reported its host',
  throttled: (action) =>
    fill(
      '{event.count} events| of the kind {throttled.kind}| were throttled, because their cgroup exceeded its share',
      action,
    ),
  finding: (action) => fill('the check {integrity.check} found {integrity.subject}|: {integrity.detail}', action),
  silence: ({ operation }) => (operation === 'host_heard' ? 'the host reports again' : 'the host stopped reporting'),
};

/** Returns undefined for a kind of a later version, which has no sentence here. */
function verbOf(action: IncidentAction): string | undefined {
  const verb = VERBS[action.kind];
  if (verb !== undefined) return verb(action);
  const template = TEMPLATES[action.kind];
  if (template === undefined) return undefined;
  const text = fill(template, action);
  return action.failed && !template.startsWith(DID) ? `${text}, which failed` : text;
}

function fill(template: string, action: IncidentAction): string {
  const [first, ...rest] = template.split('|').map((part) => filled(part, action));
  return first == null ? UNNAMED : [first, ...rest].join('');
}

/** Returns null if a field has no value. */
function filled(part: string, { operation, failed, objects }: IncidentAction): string | null {
  let isWhole = true;
  const text = part.replace(DID, failed ? 'tried to' : 'did').replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const value = name === 'event.action' ? operation : (objects[name] ?? '');
    if (value === '') isWhole = false;
    return value;
  });
  return isWhole ? text : null;
}

const peerOf = (objects: IncidentAction['objects']): string =>
  objects['destination.ip'] === undefined
    ? (objects['network.unix.path'] ?? 'a socket without a name')
    : `${objects['destination.ip']} port ${objects['destination.port'] ?? ''}`;

function execText({ objects }: IncidentAction, ran: string): string {
  const command = objects['process.command_line'];
  const ago = objects['process.exec.written_ago'];
  const { 'process.exec.writer.executable': executable, 'process.exec.writer.pid': pid } = objects;
  const writer = pid === undefined ? 'an unknown process' : nameOf({ executable: executable ?? '', pid: Number(pid) });
  const written = ago === undefined ? '' : `, which ${writer} had written ${durationText(Number(ago) * 1e6)} before`;
  return `${ran}${command === undefined ? '' : ` as "${command}"`}${written}`;
}
