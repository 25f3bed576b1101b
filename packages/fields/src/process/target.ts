import { type EventView, entityId, type FixedLeaf, KIND, leaf, records, UNSET_ID, u64ToBigInt } from '@ringfence/wire';
import { bodyLong, type Field } from '../field.ts';
import { tampering } from '../kernel/tampering.ts';

/** Signals by number: x86-64 and arm64. */
const SIGNALS: readonly string[] =
  `0 SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT
   SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS`.split(/\s+/);

const PTRACE_REQUESTS: Readonly<Record<number, string>> = {
  0: 'PTRACE_TRACEME',
  4: 'PTRACE_POKETEXT',
  5: 'PTRACE_POKEDATA',
  6: 'PTRACE_POKEUSR',
  13: 'PTRACE_SETREGS',
  15: 'PTRACE_SETFPREGS',
  16: 'PTRACE_ATTACH',
  16901: 'PTRACE_SETREGSET',
  16902: 'PTRACE_SEIZE',
};
const PTRACE = records.AccessOperation.ACCESS_PTRACE;

/** Process id of the target, by kind. */
const pids = new Map([
  [KIND.Signal, bodyLong(leaf.Signal.targetTgid)],
  [KIND.ProcessAccess, bodyLong(leaf.ProcessAccess.targetTgid)],
  [KIND.Tampering, bodyLong(leaf.Tampering.victimTgid)],
]);
const starts = new Map([
  [KIND.Signal, leaf.Signal.targetStart],
  [KIND.ProcessAccess, leaf.ProcessAccess.targetStart],
  [KIND.Tampering, leaf.Tampering.victimStart],
]);
const numbers = new Map<number, (event: EventView) => number | undefined>([
  [KIND.Signal, bodyLong(leaf.Signal.signal)],
  [KIND.Fault, bodyLong(leaf.Fault.signal)],
  [KIND.Tampering, tampering.signal],
]);
const codes = new Map([
  [KIND.Signal, bodyLong(leaf.Signal.code)],
  [KIND.Fault, bodyLong(leaf.Fault.code)],
]);
const of = (
  getters: ReadonlyMap<number, (event: EventView) => number | undefined>,
  event: EventView,
): number | undefined => getters.get(event.cursor.kind)?.(event);

const targetUid = bodyLong(leaf.Signal.targetUid);
const accessOperation = bodyLong(leaf.ProcessAccess.operation);
const accessRequest = bodyLong(leaf.ProcessAccess.request);
const systemCall = bodyLong(leaf.Fault.systemCall);

function ptraceRequest(event: EventView): number | undefined {
  if (event.cursor.kind === KIND.Tampering) return tampering.ptraceRequest(event);
  return accessOperation(event) === PTRACE ? accessRequest(event) : undefined;
}

/** 0 means that there is no target process. */
const pidOf = (event: EventView): number | undefined => of(pids, event) || undefined;

const address = (field: FixedLeaf) => (event: EventView) =>
  `0x${u64ToBigInt(event.cursor.buffer, event.cursor.leafAt(field)).toString(16)}`;

const onTargets = ['signal', 'process_access', 'tampering'];
const onSignals = ['signal', 'fault'];
const onNumbers = [...onSignals, 'tampering'];

/** Targets of signals and accesses, and signals. */
export const targetFields: readonly Field[] = [
  {
    name: 'process.target.pid',
    type: 'number',
    doc: 'Process id on the host of the target of the signal or access; absent when no such process exists.',
    aliases: ['evt.arg.pid', 'TargetProcessId'],
    kinds: onTargets,
    get: pidOf,
  },
  {
    name: 'process.target.entity_id',
    type: 'string',
    doc: 'Identity of the target process, equal to process.entity_id of its events.',
    kinds: onTargets,
    get: (event) => {
      const pid = pidOf(event);
      if (pid === undefined) return undefined;
      const at = event.cursor.leafAt(starts.get(event.cursor.kind) as FixedLeaf);
      const { hostId, bootId } = event.head;
      return entityId(hostId, bootId, pid, event.cursor.buffer.subarray(at, at + 8)).toString('hex');
    },
  },
  {
    name: 'process.target.user.id',
    type: 'number',
    doc: 'Real user id of the target of the signal.',
    kinds: ['signal'],
    get: (event) => (targetUid(event) === UNSET_ID ? undefined : targetUid(event)),
  },
  {
    name: 'signal.number',
    type: 'number',
    doc: 'Number of the signal; 0 only tests whether the process exists.',
    kinds: onNumbers,
    get: (event) => of(numbers, event),
  },
  {
    name: 'signal.name',
    type: 'string',
    doc: 'Name of the signal: SIGKILL, SIGSEGV, …; absent for real-time signals.',
    aliases: ['evt.arg.sig'],
    kinds: onNumbers,
    get: (event) => SIGNALS[of(numbers, event) ?? -1],
  },
  {
    name: 'signal.code',
    type: 'number',
    doc: 'si_code: how the signal was sent (0 kill, -1 sigqueue, -6 tgkill), or the cause of the fault.',
    kinds: onSignals,
    get: (event) => of(codes, event),
  },
  {
    name: 'fault.address',
    type: 'string',
    doc: 'Address that was accessed, as 0x….',
    kinds: ['fault'],
    get: address(leaf.Fault.address),
  },
  {
    name: 'fault.instruction',
    type: 'string',
    doc: 'Address of the instruction, as 0x….',
    kinds: ['fault'],
    get: address(leaf.Fault.instruction),
  },
  {
    name: 'fault.count',
    type: 'number',
    doc: 'Number of faults of the executable, over all its processes, since the last minute without faults; after 16 only powers of two are reported.',
    kinds: ['fault'],
    get: bodyLong(leaf.Fault.count),
  },
  {
    name: 'fault.system_call',
    type: 'number',
    doc: 'Number of the system call that was not allowed (SIGSYS).',
    kinds: ['fault'],
    get: (event) => (systemCall(event) < 0 ? undefined : systemCall(event)),
  },
  {
    name: 'ptrace.request',
    type: 'string',
    doc: 'PTRACE_TRACEME, _ATTACH, _SEIZE, _POKETEXT, _POKEDATA, _POKEUSR, _SETREGS, _SETFPREGS or _SETREGSET.',
    aliases: ['evt.arg.request'],
    kinds: ['process_access', 'tampering'],
    get: (event) => PTRACE_REQUESTS[ptraceRequest(event) ?? -1],
  },
  {
    name: 'process.target.address',
    type: 'string',
    doc: 'Address in the other process that is read or written, as 0x….',
    kinds: ['process_access'],
    get: address(leaf.ProcessAccess.address),
  },
];
