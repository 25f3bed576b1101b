import { constants } from 'node:os';
import { type EventView, KIND, kindName, type LongLeaf, layouts, leaf, records } from '@ringfence/wire';
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

/** `event.action` by kind. On other kinds it depends on the operation. */
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
/** `event.category` by kind. */
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

/** Returns a lookup of the table by the kind of an event. */
function byKind(values: Readonly<Record<string, string>>): (event: EventView) => string | undefined {
  const list = layouts.map(({ name }) => values[kindName(name)]);
  return (event) => list[event.cursor.kind];
}

const actionOf = byKind(actions);
const categoryOf = byKind(categories);
const syscallOf = byKind(syscalls);

/** The names of an enumeration of bpf/ringfence.h in lower case, by their values; `RF_FILE_RENAME` is rename. */
const namesOf = (values: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(values).map(([name, value]) => [value, name.slice(name.indexOf('_') + 1).toLowerCase()]));

/** Operations of a host whose agent stopped or resumed its ticks. */
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

/** Names of the operations by kind. */
const operationNames = Object.fromEntries(
  layouts.flatMap(({ name }) => {
    const names = operations.get(KIND[name])?.names;
    return names === undefined ? [] : [[kindName(name), [...names.values()]] as const];
  }),
);

/** Possible values of `event.action` by kind. Contexts have none. */
const actionNames = {
  ...Object.fromEntries(layouts.map(({ name }) => [kindName(name), [] as readonly string[]])),
  ...operationNames,
  io_uring: ioUring.actions,
  log: LOG_ACTIONS,
};

const IO_CALLS = Object.keys(records.IoOperation).map((name) => name.slice('IO_'.length).toLowerCase());
/** The system call of a module event depends on more than its operation. */
const { module: _, ...syscallNames } = operationNames;
const syscallValues = {
  ...syscallNames,
  credentials: ['setresuid', 'setresgid', 'setgroups', 'capset'],
  redirect: redirectCall.names,
  datagram: ['sendto', 'recvfrom'],
  module: ['init_module', 'finit_module', 'delete_module'],
  io_uring: IO_CALLS.map((name) => SPELLINGS[name] ?? name),
};
/** Actions of Elastic's events, which EQL rules compare with. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  start: 'Write event.action = exec.',
  exec_event: 'Write event.action = exec.',
  end: 'Write event.action = exit.',
  uid_change: 'Write event.action = credentials.',
  gid_change: 'Write event.action = credentials.',
  session_id_change:
    'No event reports a new session (setsid). A program that left its terminal has process.tty = 0 from its next exec on.',
  connection_attempted: 'Write event.action = connect.',
  connection_accepted: 'Write event.action = accept.',
  disconnect_received: 'Write event.action = flow: a connection ended.',
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

/** Returns the system call of kinds that several calls can cause, derived from the effect of the call. */
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

/** Kinds whose body holds the result: a descriptor or 0, or -errno. */
const results: ReadonlyMap<number, (event: EventView) => number> = new Map(
  RESULT_KINDS.map((kind) => [KIND[kind], bodyLong(leaf[kind].result)]),
);
const resultKinds = RESULT_KINDS.map(kindName);

/** Names of errors by number. If a number has two names (EAGAIN, EWOULDBLOCK), the first is used. */
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
    doc: 'What happened: fork, exec, exit, credentials, open, connect, accept, rename, mount, ptrace, exec_failed, hash, …; on log lines ssh-login, sudo-command, …',
    constants: actions,
    values: actionNames,
    oneOf: [...new Set([...Object.values(actions), ...Object.values(actionNames).flat()])],
    elsewhere: ELSEWHERE,
    get: (event) => actionOf(event) ?? operationOf(event) ?? logField.action(event),
  },
  {
    name: 'event.category',
    type: 'string',
    doc: 'ECS category: process, iam, file, network, driver, configuration, authentication; on log lines also session and intrusion_detection.',
    constants: categories,
    oneOf: [...new Set([...Object.values(categories), 'session', 'intrusion_detection'])],
    get: (event) => categoryOf(event) ?? (ioUring.is(event) ? ioUring.category(event) : logField.category(event)),
  },
  {
    name: 'evt.type',
    type: 'string',
    doc: "Falco's name of the system call. Equivalent calls share a name (open, openat and openat2 are openat); rules can use each of their names.",
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
    doc: 'success or failure. A non-blocking connect in progress counts as success, and so does an io_uring operation without a known result (`io_uring.result_unknown`).',
    kinds: [...resultKinds, 'log'],
    oneOf: ['success', 'failure'],
    get: (event) => {
      const result = results.get(event.cursor.kind)?.(event);
      if (result === undefined) return logField.outcome(event);
      // PAM counts its errors up from 1.
      if (event.cursor.kind === KIND.Authentication) return result === 0 ? 'success' : 'failure';
      return result >= 0 || result === -EINPROGRESS ? 'success' : 'failure';
    },
  },
  {
    name: 'event.result',
    type: 'number',
    doc: 'Return value of the system call: a descriptor or 0, or -errno; PAM_* on an authentication, where 0 is success.',
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
