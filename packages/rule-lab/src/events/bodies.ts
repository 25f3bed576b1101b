import { constants } from 'node:os';
import { CAPABILITIES } from '@ringfence/fields';
import type { EventValues } from '@ringfence/synthetic';
import { records } from '@ringfence/wire';
import {
  askedFor,
  bits,
  bytesOf,
  dnsMessage,
  ends,
  familyOf,
  named,
  signalOf,
  traffic,
  transportOf,
} from './body-values.ts';
import type { Facts } from './facts.ts';
import { BITS, BITS_64, numberNamed } from './names.ts';

const HOST_USER_NAMESPACE = 4_026_531_837;
const AF_UNIX = 1;
const TCP = 6;
const UDP = 17;
const BPF_PROG_LOAD = 5;
const PTRACE_REQUESTS = [...Array.from({ length: 32 }, (_, number) => number), 16_901, 16_902];

/** Returns the operations of an enumeration under their names in `event.action`: `FILE_RENAME` is rename. */
const operationsOf = (values: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(values).map(([name, value]) => [name.slice(name.indexOf('_') + 1).toLowerCase(), value]));

const ACCESSES = operationsOf(records.AccessOperation);
/** Kinds with several operations. */
const OPERATIONS: Readonly<Record<string, ReadonlyMap<string, number>>> = {
  memory: operationsOf(records.MemoryOperation),
  process_access: ACCESSES,
  isolation: operationsOf(records.IsolationOperation),
  module: operationsOf(records.ModuleOperation),
  system_change: operationsOf(records.SystemOperation),
  socket: operationsOf(records.SocketOperation),
  tampering: operationsOf(records.TamperingOperation),
  attempt: operationsOf(records.AttemptOperation),
  silence: new Map([
    ['host_silent', 1],
    ['host_heard', 2],
  ]),
};

type Body = (facts: Facts, action: string) => EventValues;

/** Values of each kind's body, from the fields that show them. */
const BODIES: Readonly<Record<string, Body>> = {
  attempt,
  bpf,
  capability: (facts) => ({
    capability: Math.max(0, CAPABILITIES.indexOf(facts.text('capability.name') ?? '')),
    userNamespace: facts.number('capability.namespace.user') ?? HOST_USER_NAMESPACE,
    count: countOf(facts),
  }),
  datagram: (facts) => ({ ...ends(facts, UDP), ...traffic(facts), count: facts.number('network.packets') ?? 1 }),
  fault: (facts) => ({
    signal: signalOf(facts) ?? constants.signals.SIGSEGV,
    code: facts.number('signal.code') ?? 1,
    count: facts.number('fault.count') ?? 1,
    systemCall: facts.number('fault.system_call') ?? -1,
  }),
  flow: (facts) => ({ ...ends(facts, TCP), ...traffic(facts), error: facts.number('ringfence.flow.error') ?? 0 }),
  io_uring: ioUring,
  isolation,
  memory: (facts) => ({
    path: facts.text('memory.path') ?? '',
    protection: Number(
      bits(facts, { kind: 'Memory', leaf: 'protection', field: 'memory.protection', candidates: BITS }),
    ),
    length: BigInt(facts.number('memory.length') ?? 0),
    count: countOf(facts),
  }),
  module: (facts) => ({
    name: facts.text('kernel.module.name') ?? '',
    nameSource: records.ModuleName[facts.bool('kernel.module.name_is_own') === true ? 'KERNEL' : 'NONE'],
    path: facts.text('kernel.module.path') ?? '',
    fromMemory: facts.bool('kernel.module.from_memory') ?? false,
    parameters: facts.text('kernel.module.parameters') ?? '',
    taints: facts.number('kernel.module.taints') ?? 0,
  }),
  packet,
  process_access: (facts) => ({
    request: ptraceRequest(facts),
    count: countOf(facts),
    targetTgid: facts.number('process.target.pid') ?? 0,
  }),
  redirect,
  signal: (facts) => ({
    signal: signalOf(facts) ?? constants.signals.SIGTERM,
    code: facts.number('signal.code') ?? 0,
    targetTgid: facts.number('process.target.pid') ?? 0,
    targetUid: facts.number('process.target.user.id') ?? 0,
    count: countOf(facts),
  }),
  socket,
  sysctl: (facts) => ({
    // The kernel writes slashes between the parts, sysctl(8) dots.
    name: (facts.text('sysctl.name') ?? '').replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.')),
    before: facts.text('sysctl.previous') ?? '',
    after: facts.text('sysctl.value') ?? '',
  }),
  system_change: (facts) => ({
    first: BigInt(facts.number('system.argument[0]') ?? 0),
    second: BigInt(facts.number('system.argument[1]') ?? 0),
    third: BigInt(facts.number('system.argument[2]') ?? 0),
    text: facts.text('system.text') ?? '',
    detail: facts.text('system.detail') ?? '',
  }),
  tampering,
};

/** Returns the values of a kind's body that fields of the event give. */
export function bodyValues(kind: string, facts: Facts): EventValues {
  const action = facts.text('event.action') ?? '';
  const operation = OPERATIONS[kind]?.get(action);
  return { ...(operation === undefined ? {} : { operation }), ...BODIES[kind]?.(facts, action) };
}

const countOf = (facts: Facts): number => facts.number('event.count') ?? 1;

const ptraceRequest = (facts: Facts): number =>
  named(facts, {
    kind: 'ProcessAccess',
    leaf: 'request',
    field: 'ptrace.request',
    beside: { operation: records.AccessOperation.ACCESS_PTRACE },
    candidates: PTRACE_REQUESTS,
  }) ?? 0;

function attempt(facts: Facts, action: string): EventValues {
  const { CALL_CLONE, CALL_EXECVE, CALL_SETUID } = records.AttemptCall;
  const usual = { fork_failed: CALL_CLONE, exec_failed: CALL_EXECVE, credentials_failed: CALL_SETUID };
  return {
    call: named(facts, { kind: 'Attempt', leaf: 'call', field: 'attempt.call' }) ?? usual[action as keyof typeof usual],
    count: countOf(facts),
    path: facts.text('attempt.path') ?? '',
    argv: (facts.list('attempt.args') ?? []).join('\0'),
    argvCut: facts.bool('attempt.args_cut') ?? false,
    ...askedFor(facts),
  };
}

function bpf(facts: Facts): EventValues {
  const beside = { command: BPF_PROG_LOAD };
  const program = named(facts, { kind: 'Bpf', leaf: 'programType', field: 'bpf.program.type', beside });
  const map = named(facts, { kind: 'Bpf', leaf: 'programType', field: 'bpf.map.type' });
  return {
    command: named(facts, { kind: 'Bpf', leaf: 'command', field: 'bpf.command' }) ?? BPF_PROG_LOAD,
    programType: program ?? map ?? 0,
    attachType: named(facts, { kind: 'Bpf', leaf: 'attachType', field: 'bpf.attach.type', beside }) ?? 0,
    name: facts.text('bpf.path') ?? facts.text('bpf.name') ?? '',
    id: facts.number('bpf.id') ?? 0,
  };
}

function isolation(facts: Facts, action: string): EventValues {
  if (action === 'compat_call') {
    const hook = `COMPAT_${facts.text('compat_call.seen_at')?.toUpperCase()}`;
    return {
      option: BigInt(facts.number('compat_call.number') ?? 0),
      argument: BigInt(Object.entries(records.CompatHook).find(([name]) => name === hook)?.[1] ?? 0),
      count: countOf(facts),
    };
  }
  return {
    option: bits(facts, {
      kind: 'Isolation',
      leaf: 'option',
      field: 'process.clone.flags',
      beside: { operation: records.IsolationOperation.ISOLATION_UNSHARE },
      candidates: BITS_64,
    }),
    argument: BigInt(facts.number('isolation.argument') ?? 0),
    count: countOf(facts),
  };
}

function ioUring(facts: Facts, action: string): EventValues {
  const opcode = { kind: 'IoUring', leaf: 'opcode', field: 'io_uring.operation' } as const;
  const socketPath = facts.text('io_uring.socket_path');
  const given = facts.text('io_uring.address') ?? facts.text('destination.ip') ?? facts.text('source.ip');
  const address = given === undefined ? undefined : bytesOf(given);
  const port = facts.number('io_uring.port') ?? facts.number('destination.port') ?? facts.number('source.port');
  return {
    opcode: named(facts, opcode) ?? Number(numberNamed(opcode, action) ?? 0),
    flags: facts.number('io_uring.flags') ?? facts.number('file.open.flags') ?? 0,
    path: socketPath ?? facts.text('file.path') ?? '',
    target: facts.text('io_uring.target') ?? '',
    reached: facts.text('file.reached_path') ?? '',
    inode: BigInt(facts.text('file.inode') ?? 0),
    submissionThread: facts.bool('io_uring.submission_thread') ?? false,
    resultUnknown: facts.bool('io_uring.result_unknown') ?? false,
    port: port ?? 0,
    ...(socketPath === undefined ? {} : { family: AF_UNIX }),
    ...(address === undefined ? {} : { address, family: familyOf(address) }),
  };
}

function packet(facts: Facts, action: string): EventValues {
  const isDns = action === 'dns';
  const isAnswer = facts.text('dns.type') === 'answer' || facts.text('network.direction') === 'ingress';
  return {
    ...ends(facts, isDns ? UDP : TCP, isAnswer),
    egress: !isAnswer,
    content: isDns ? records.PacketContent.PACKET_DNS : records.PacketContent.PACKET_TLS,
    payload: isDns ? dnsMessage(facts) : '',
  };
}

function redirect(facts: Facts): EventValues {
  const stream = facts.number('redirect.descriptor') ?? 0;
  return {
    ...ends(facts, TCP),
    type: 1,
    sourceDescriptor: facts.number('redirect.source_descriptor') ?? 3,
    targetDescriptor: stream,
    call: records.RedirectCall.REDIRECT_DUP2,
    result: stream,
    count: countOf(facts),
  };
}

function socket(facts: Facts): EventValues {
  const given = facts.text('destination.ip');
  const address = given === undefined ? undefined : bytesOf(given);
  const family = named(facts, { kind: 'Socket', leaf: 'family', field: 'ringfence.socket.family' });
  return {
    ...(address === undefined ? {} : { address }),
    family: family ?? (address === undefined ? 2 : familyOf(address)),
    type: named(facts, { kind: 'Socket', leaf: 'type', field: 'ringfence.socket.type' }) ?? 1,
    protocol: facts.number('ringfence.socket.protocol') ?? transportOf(facts) ?? 0,
    port: facts.number('destination.port') ?? 0,
    backlog: facts.number('ringfence.socket.backlog') ?? 0,
    contextId: facts.number('ringfence.socket.context_id') ?? 0,
    path: facts.text('network.unix.path') ?? '',
  };
}

function tampering(facts: Facts, action: string): EventValues {
  const access = ACCESSES.get(facts.text('tampering.access') ?? 'ptrace') ?? 0;
  const signal = signalOf(facts);
  const isExit = action === 'agent_exit';
  return {
    detail: action === 'agent_access' ? access : isExit ? (facts.number('tampering.exit_code') ?? 0) : (signal ?? 0),
    request: isExit ? (signal ?? 0) : ptraceRequest(facts),
    uid: facts.number('tampering.user.id') ?? 0,
    count: facts.number('tampering.count') ?? 1,
    program: facts.text('tampering.program') ?? '',
    command: facts.text('tampering.command') ?? '',
    executable: facts.text('tampering.executable') ?? '',
  };
}
