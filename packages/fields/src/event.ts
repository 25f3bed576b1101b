import { constants } from 'node:os';
import type { EventView } from '@ringfence/wire';
import { KIND, kindName, type LongLeaf, layouts, leaf, records } from '@ringfence/wire';
import { SPELLINGS, unseen } from './falco/event-types.ts';
import { bodyBoolean, bodyLong, type Field } from './field.ts';
import { logField } from './host/log.ts';
import { LOG_ACTIONS } from './host/log-actions.ts';
import { ioUring } from './kernel/io-uring.ts';
import { moduleCall } from './kernel/module.ts';
import { redirectCall } from './network/redirect.ts';

const { EINPROGRESS } = records.Errno;
const RESULT_KINDS = [
  'Open',
  'Connect',
  'Accept',
  'FileChange',
  'MountChange',
  'Memory',
  'Signal',
  'ProcessAccess',
  'Isolation',
  'Capability',
  'Module',
  'Bpf',
  'SystemChange',
  'IoUring',
  'Socket',
  'Datagram',
  'Authentication',
  'Tampering',
  'Attempt',
  'Redirect',
] as const;

/** `event.action` by kind. The action of other kinds depends on their operation. */
const actions = {
  fork: 'fork',
  exec: 'exec',
  exit: 'exit',
  credentials: 'credentials',
  open: 'open',
  connect: 'connect',
  accept: 'accept',
  redirect: 'redirect',
  tick: 'tick',
  signal: 'signal',
  fault: 'fault',
  capability: 'capability',
  bpf: 'bpf',
  sysctl: 'sysctl',
  datagram: 'datagram',
  flow: 'flow',
  finding: 'integrity',
  authentication: 'authentication',
  shell_line: 'shell_line',
  tls_data: 'tls_data',
  hash: 'hash',
  throttled: 'throttled',
  gap: 'gap',
  probe: 'probe',
};
const syscalls = {
  fork: 'clone',
  exec: 'execve',
  exit: 'procexit',
  open: 'openat',
  connect: 'connect',
  accept: 'accept4',
  signal: 'kill',
  fault: 'signaldeliver',
  bpf: 'bpf',
};
/** ECS categories by kind, for `event.category`. */
const categories = {
  fork: 'process',
  exec: 'process',
  exit: 'process',
  credentials: 'iam',
  open: 'file',
  connect: 'network',
  accept: 'network',
  redirect: 'network',
  file_change: 'file',
  mount_change: 'file',
  memory: 'process',
  signal: 'process',
  fault: 'process',
  process_access: 'process',
  isolation: 'process',
  capability: 'process',
  module: 'driver',
  bpf: 'driver',
  system_change: 'configuration',
  sysctl: 'configuration',
  socket: 'network',
  datagram: 'network',
  packet: 'network',
  flow: 'network',
  finding: 'configuration',
  authentication: 'authentication',
  shell_line: 'process',
  tls_data: 'network',
  hash: 'process',
  throttled: 'process',
  tampering: 'process',
  probe: 'process',
  attempt: 'process',
  silence: 'host',
  gap: 'host',
};

/** Returns an accessor that looks up the event's kind in a table. */
function byKind(values: Readonly<Record<string, string>>): (event: EventView) => string | undefined {
  const list = layouts.map(({ name }) => values[kindName(name)]);
  return (event) => list[event.cursor.kind];
}

const actionOf = byKind(actions);
const categoryOf = byKind(categories);
const syscallOf = byKind(syscalls);

/** Returns the names of an enumeration of bpf/ringfence.h in lower case, by value: `RF_FILE_RENAME` is rename. */
const namesOf = (values: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(values).map(([name, value]) => [value, name.slice(name.indexOf('_') + 1).toLowerCase()]));

/** Operations of silence events: a host stopped or resumed ticking. */
const SILENCE = { SILENCE_HOST_SILENT: 1, SILENCE_HOST_HEARD: 2 };

/** Kinds with several operations: the leaf of the operation, and the names. */
const operations = new Map(
  (
    [
      ['FileChange', leaf.FileChange.operation, records.FileOperation],
      ['MountChange', leaf.MountChange.operation, records.MountOperation],
      ['Memory', leaf.Memory.operation, records.MemoryOperation],
      ['ProcessAccess', leaf.ProcessAccess.operation, records.AccessOperation],
      ['Isolation', leaf.Isolation.operation, records.IsolationOperation],
      ['Module', leaf.Module.operation, records.ModuleOperation],
      ['SystemChange', leaf.SystemChange.operation, records.SystemOperation],
      ['Socket', leaf.Socket.operation, records.SocketOperation],
      ['Packet', leaf.Packet.content, records.PacketContent],
      ['Tampering', leaf.Tampering.operation, records.TamperingOperation],
      ['Attempt', leaf.Attempt.operation, records.AttemptOperation],
      ['Silence', leaf.Silence.operation, SILENCE],
    ] as const
  ).map(([kind, operation, values]) => [KIND[kind], { get: bodyLong(operation), names: namesOf(values) }]),
);

/** Names of the operations, by the kind's name. */
const operationNames = Object.fromEntries(
  layouts.flatMap(({ name }) => {
    const names = operations.get(KIND[name])?.names;
    return names === undefined ? [] : [[kindName(name), [...names.values()]] as const];
  }),
);

/** Values of `event.action` by the kind's name. Contexts have no action. */
const actionNames = {
  ...Object.fromEntries(layouts.map(({ name }) => [kindName(name), [] as readonly string[]])),
  ...operationNames,
  io_uring: ioUring.actions,
  log: LOG_ACTIONS,
};

const IO_CALLS = Object.keys(records.IoOperation).map((name) => name.slice('IO_'.length).toLowerCase());
/** The call of a module event does not follow from its operation alone. */
const { module: _, ...syscallNames } = operationNames;
const syscallValues = {
  ...syscallNames,
  credentials: ['setresuid', 'setresgid', 'setgroups', 'capset'],
  redirect: redirectCall.names,
  datagram: ['sendto', 'recvfrom'],
  module: ['init_module', 'finit_module', 'delete_module'],
  io_uring: IO_CALLS.map((name) => SPELLINGS[name] ?? name),
};
/** Hints for actions of Elastic's events, which EQL rules use. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  start: 'Write event.action = exec.',
  exec_event: 'Write event.action = exec.',
  end: 'Write event.action = exit.',
  uid_change: 'Write event.action = credentials.',
  gid_change: 'Write event.action = credentials.',
  session_id_change:
    'No event reports a new session (setsid). A program that has left its terminal has process.tty = 0 from its next exec on.',
  connection_attempted: 'Write event.action = connect.',
  connection_accepted: 'Write event.action = accept.',
  disconnect_received: 'Write event.action = flow: a connection that has ended.',
  lookup_requested: 'Write event.action = dns.',
  creation: 'Write event.action = open and file.open.create.',
  overwrite: 'Write event.action = open and file.open.write.',
  modification: 'Write event.action = open and file.open.write.',
  deletion: 'Write event.action = unlink.',
  load_kernel_module: 'Write event.action = module_load.',
  'loaded-kernel-module': 'Write event.action = module_load.',
};

const CALLS: ReadonlySet<string> = new Set([...Object.values(syscalls), ...Object.values(syscallValues).flat()]);

type LeafPair = readonly [before: LongLeaf, after: LongLeaf];
const changed =
  (pairs: readonly LeafPair[]) =>
  ({ cursor }: EventView): boolean =>
    pairs.some(([before, after]) => cursor.leafLong(before) !== cursor.leafLong(after));
const { CredentialsChange: CHANGE } = leaf;
const changesUser = changed([
  [CHANGE.before.uid, CHANGE.after.uid],
  [CHANGE.before.euid, CHANGE.after.euid],
  [CHANGE.before.suid, CHANGE.after.suid],
  [CHANGE.before.fsuid, CHANGE.after.fsuid],
]);
const changesGroup = changed([
  [CHANGE.before.gid, CHANGE.after.gid],
  [CHANGE.before.egid, CHANGE.after.egid],
  [CHANGE.before.sgid, CHANGE.after.sgid],
  [CHANGE.before.fsgid, CHANGE.after.fsgid],
]);
const changesGroups = ({ cursor }: EventView): boolean =>
  cursor.leafLong(CHANGE.groupsBeforeLength) > 0 || cursor.leafLong(CHANGE.groupsAfterLength) > 0;
const incoming = bodyBoolean(leaf.Datagram.incoming);

function credentialsCall(event: EventView): string {
  if (changesUser(event)) return 'setresuid';
  if (changesGroup(event)) return 'setresgid';
  return changesGroups(event) ? 'setgroups' : 'capset';
}

/** Returns the system call; for some kinds it follows from the effect of the call. */
function callOf(event: EventView): string | undefined {
  switch (event.cursor.kind) {
    case KIND.CredentialsChange:
      return credentialsCall(event);
    case KIND.Redirect:
      return redirectCall.of(event);
    case KIND.Datagram:
      return incoming(event) ? 'recvfrom' : 'sendto';
    case KIND.IoUring:
      return SPELLINGS[ioUring.syscall(event)] ?? ioUring.syscall(event);
    default:
      return moduleCall(event) ?? operationOf(event);
  }
}

function operationOf(event: EventView): string | undefined {
  if (ioUring.is(event)) return ioUring.action(event);
  const operation = operations.get(event.cursor.kind);
  return operation?.names.get(operation.get(event));
}

/** Accessors of the result, for kinds that have it: a descriptor or 0, or -errno. */
const results: ReadonlyMap<number, (event: EventView) => number> = new Map(
  RESULT_KINDS.map((kind) => [KIND[kind], bodyLong(leaf[kind].result)]),
);
const resultKinds = RESULT_KINDS.map(kindName);

/** The first of two names with the same number (EAGAIN, EWOULDBLOCK). */
const ERRORS = new Map<number, string>(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

function errorOf(result: number): string | undefined {
  return result >= 0 || result === -EINPROGRESS ? undefined : ERRORS.get(-result);
}

export const eventFields: readonly Field[] = [
  {
    name: 'event.action',
    type: 'string',
    doc: 'Action of the event: fork, exec, exit, credentials, open, connect, accept, rename, mount, ptrace, exec_failed, hash, …; for a log line ssh-login, sudo-command, …',
    constants: actions,
    values: actionNames,
    oneOf: [...new Set([...Object.values(actions), ...Object.values(actionNames).flat()])],
    elsewhere: ELSEWHERE,
    get: (event) => actionOf(event) ?? operationOf(event) ?? logField.action(event),
  },
  {
    name: 'event.category',
    type: 'string',
    doc: 'ECS category: process, iam, file, network, driver, configuration, authentication; for a log line also session.',
    constants: categories,
    oneOf: [...new Set([...Object.values(categories), 'session'])],
    get: (event) => categoryOf(event) ?? (ioUring.is(event) ? ioUring.category(event) : logField.category(event)),
  },
  {
    name: 'evt.type',
    type: 'string',
    doc: "Falco's name of the system call behind the event; calls that do the same are one (open, openat and openat2 are openat), and a rule may use any of their names.",
    aliases: ['syscall.type'],
    constants: syscalls,
    values: syscallValues,
    kinds: [...new Set([...Object.keys(syscalls), ...Object.keys(syscallValues)])],
    spellings: SPELLINGS,
    neverIs: (value) => (CALLS.has(value) ? undefined : unseen(value)),
    get: (event) => syscallOf(event) ?? callOf(event),
  },
  {
    name: 'event.outcome',
    type: 'string',
    doc: 'success or failure (a non-blocking connect that has only begun is a success, and so is an io_uring operation without a completion: `io_uring.result_unknown`).',
    kinds: [...resultKinds, 'log'],
    oneOf: ['success', 'failure'],
    get: (event) => {
      const result = results.get(event.cursor.kind)?.(event);
      if (result === undefined) return logField.outcome(event);
      // Errors of PAM are positive.
      if (event.cursor.kind === KIND.Authentication) return result === 0 ? 'success' : 'failure';
      return result >= 0 || result === -EINPROGRESS ? 'success' : 'failure';
    },
  },
  {
    name: 'event.result',
    type: 'number',
    doc: 'Return value of the system call: a descriptor or 0, or -errno; for an authentication PAM_*, where 0 is success.',
    aliases: ['evt.rawres'],
    kinds: resultKinds,
    get: (event) => results.get(event.cursor.kind)?.(event),
  },
  {
    name: 'error.code',
    type: 'string',
    doc: 'Name of the error that a failed call returned: EACCES, ENOENT, EPERM, …; absent on success.',
    kinds: resultKinds.filter((kind) => kind !== 'authentication'),
    get: (event) => errorOf(results.get(event.cursor.kind)?.(event) ?? 0),
  },
  {
    name: '@timestamp',
    type: 'number',
    doc: 'Time of the event, µs since the epoch.',
    get: (event) => event.timestamp,
  },
  { name: 'event.id', type: 'string', doc: 'hostId/bootId/run/lane/cpu/sequence.', get: (event) => event.id },
  { name: 'host.id', type: 'string', doc: "The agent's host id.", get: (event) => event.head.hostId },
];
