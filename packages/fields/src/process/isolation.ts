import { type EventView, type FixedLeaf, KIND, kindName, layouts, leaf, records, u64ToBigInt } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { capabilityNames } from '../names/capabilities.ts';

const CLONE_FLAGS: Readonly<Record<string, bigint>> = {
  CLONE_NEWTIME: 0x80n,
  CLONE_VM: 0x100n,
  CLONE_FS: 0x200n,
  CLONE_FILES: 0x400n,
  CLONE_SIGHAND: 0x800n,
  CLONE_PIDFD: 0x1000n,
  CLONE_PTRACE: 0x2000n,
  CLONE_VFORK: 0x4000n,
  CLONE_PARENT: 0x8000n,
  CLONE_THREAD: 0x1_0000n,
  CLONE_NEWNS: 0x2_0000n,
  CLONE_SYSVSEM: 0x4_0000n,
  CLONE_UNTRACED: 0x80_0000n,
  CLONE_NEWCGROUP: 0x200_0000n,
  CLONE_NEWUTS: 0x400_0000n,
  CLONE_NEWIPC: 0x800_0000n,
  CLONE_NEWUSER: 0x1000_0000n,
  CLONE_NEWPID: 0x2000_0000n,
  CLONE_NEWNET: 0x4000_0000n,
  CLONE_INTO_CGROUP: 0x2_0000_0000n,
};
const PRCTL_OPTIONS: Readonly<Record<number, string>> = {
  4: 'PR_SET_DUMPABLE',
  8: 'PR_SET_KEEPCAPS',
  22: 'PR_SET_SECCOMP',
  28: 'PR_SET_SECUREBITS',
  35: 'PR_SET_MM',
  36: 'PR_SET_CHILD_SUBREAPER',
  38: 'PR_SET_NO_NEW_PRIVS',
  47: 'PR_CAP_AMBIENT',
  1499557217: 'PR_SET_PTRACER',
};
const SECCOMP_OPTIONS: Readonly<Record<number, string>> = {
  0: 'SECCOMP_SET_MODE_STRICT',
  1: 'SECCOMP_SET_MODE_FILTER',
};
const COMPAT_HOOKS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(records.CompatHook).map(([name, hook]) => [hook, name.slice('COMPAT_'.length).toLowerCase()]),
);
const KNOWN_FLAGS_MAX = 64;
const PROTECTIONS = ['PROT_READ', 'PROT_WRITE', 'PROT_EXEC'];
const { IsolationOperation: OPERATION } = records;
const attempted = bodyLong(leaf.Attempt.operation);
const operation = bodyLong(leaf.Isolation.operation);
const capability = bodyLong(leaf.Capability.capability);
const protection = bodyLong(leaf.Memory.protection);
const memoryPath = bodyText(leaf.Memory.pathBytes);

const u64 = (event: EventView, field: FixedLeaf): bigint =>
  u64ToBigInt(event.cursor.buffer, event.cursor.leafAt(field));

/** Names of the flags that were seen, since a host forks with few combinations. */
const knownFlags = new Map<bigint, readonly string[]>();

function cloneNames(flags: bigint): readonly string[] {
  let names = knownFlags.get(flags);
  if (names !== undefined) return names;
  if (knownFlags.size >= KNOWN_FLAGS_MAX) knownFlags.clear();
  names = Object.keys(CLONE_FLAGS).filter((name) => flags & CLONE_FLAGS[name]!);
  knownFlags.set(flags, names);
  return names;
}

const counts = new Map(
  (
    [
      'Memory',
      'Signal',
      'ProcessAccess',
      'Isolation',
      'Capability',
      'Fork',
      'Open',
      'Connect',
      'Throttled',
      'Attempt',
      'Redirect',
    ] as const
  ).map((kind) => [KIND[kind], bodyLong(leaf[kind].count)]),
);

const gapEnds = [bodyLong(leaf.Gap.from), bodyLong(leaf.Gap.to)] as const;
counts.set(KIND.Gap, (event) => gapEnds[1](event) - gapEnds[0](event) + 1);

const isFork = (event: EventView): boolean => attempted(event) === records.AttemptOperation.ATTEMPT_FORK_FAILED;

function flagsOf(event: EventView): readonly string[] | undefined {
  if (event.cursor.kind === KIND.Attempt) return isFork(event) ? cloneNames(u64(event, leaf.Attempt.first)) : undefined;
  if (event.cursor.kind === KIND.Fork) return cloneNames(u64(event, leaf.Fork.flags));
  return operation(event) <= OPERATION.ISOLATION_UNSHARE ? cloneNames(u64(event, leaf.Isolation.option)) : undefined;
}

const isCompatCall = (event: EventView): boolean => operation(event) === OPERATION.ISOLATION_COMPAT_CALL;

function optionOf(event: EventView): string | undefined {
  const number = Number(u64(event, leaf.Isolation.option));
  if (operation(event) === OPERATION.ISOLATION_PRCTL) return PRCTL_OPTIONS[number];
  return operation(event) === OPERATION.ISOLATION_SECCOMP ? SECCOMP_OPTIONS[number] : undefined;
}

/** Isolation and capabilities of a process, and its executable memory. */
export const isolationFields: readonly Field[] = [
  {
    name: 'process.clone.flags',
    type: 'strings',
    doc: 'CLONE_* of the fork (including a failed fork) or of unshare, or the kind of namespace that setns entered.',
    kinds: ['fork', 'isolation', 'attempt'],
    get: flagsOf,
  },
  {
    name: 'isolation.option',
    type: 'string',
    doc: 'PR_* of prctl, SECCOMP_SET_MODE_* of seccomp.',
    aliases: ['evt.arg.option'],
    kinds: ['isolation'],
    get: optionOf,
  },
  {
    name: 'isolation.argument',
    type: 'number',
    doc: 'First argument of the prctl; flags of seccomp; the persona before a change of personality.',
    kinds: ['isolation'],
    get: (event) => Number(u64(event, leaf.Isolation.argument)),
  },
  {
    name: 'isolation.persona',
    type: 'number',
    doc: 'New persona of the process: 0x0040000 disables address space randomization (setarch -R).',
    kinds: ['isolation'],
    get: (event) =>
      operation(event) === OPERATION.ISOLATION_PERSONALITY ? Number(u64(event, leaf.Isolation.option)) : undefined,
  },
  {
    name: 'compat_call.number',
    type: 'number',
    doc: 'Number of the 32-bit system call that a 64-bit process made, as i386 numbers it.',
    kinds: ['isolation'],
    get: (event) => (isCompatCall(event) ? Number(u64(event, leaf.Isolation.option)) : undefined),
  },
  {
    name: 'compat_call.seen_at',
    type: 'string',
    doc: 'What the 32-bit system call did that the sensor saw: fork, exit, connect, bind, signal or open.',
    kinds: ['isolation'],
    oneOf: Object.values(COMPAT_HOOKS),
    get: (event) => (isCompatCall(event) ? COMPAT_HOOKS[Number(u64(event, leaf.Isolation.argument))] : undefined),
  },
  {
    name: 'capability.name',
    type: 'string',
    doc: 'Requested capability: CAP_SYS_ADMIN, …; event.outcome is success if the process has it.',
    kinds: ['capability'],
    get: (event) => capabilityNames(u64Bit(capability(event)))[0],
  },
  {
    name: 'capability.namespace.user',
    type: 'number',
    doc: 'Inode number of the user namespace in which the capability was requested.',
    kinds: ['capability'],
    get: bodyLong(leaf.Capability.userNamespace),
  },
  {
    name: 'memory.address',
    type: 'string',
    doc: 'Start address of the memory, as 0x….',
    kinds: ['memory'],
    get: (event) => `0x${u64(event, leaf.Memory.address).toString(16)}`,
  },
  {
    name: 'memory.length',
    type: 'number',
    doc: 'Size of the memory, bytes.',
    kinds: ['memory'],
    get: (event) => Number(u64(event, leaf.Memory.length)),
  },
  {
    name: 'memory.protection',
    type: 'strings',
    doc: 'New protection of the memory: PROT_READ, PROT_WRITE, PROT_EXEC.',
    aliases: ['evt.arg.prot'],
    kinds: ['memory'],
    get: (event) => PROTECTIONS.filter((_, bit) => (protection(event) >>> bit) & 1),
  },
  {
    name: 'memory.path',
    type: 'string',
    doc: 'Path of the mapped or new file; a memfd is /memfd:NAME.',
    kinds: ['memory'],
    get: (event) => nonEmpty(memoryPath(event)),
  },
  {
    name: 'event.count',
    type: 'number',
    doc: 'Number of equal calls that the event stands for, itself included. Number of throttled events (`throttled`) or lost events (`gap`). Thresholds add this number.',
    kinds: [...counts.keys()].map((kind) => kindName(layouts[kind]!.name)),
    get: (event) => counts.get(event.cursor.kind)?.(event),
  },
];

/** Returns a set with one bit, or an empty set if the number is out of range. */
function u64Bit(bit: number): Buffer {
  const set = Buffer.alloc(8);
  if (bit >= 0 && bit < 64) set.writeBigUInt64LE(1n << BigInt(bit));
  return set;
}
