import type { EventView } from '@ringfence/wire';
import { KIND, leaf, records, u64ToBigInt } from '@ringfence/wire';
import { BPF_ATTACH_TYPES, BPF_COMMANDS, BPF_MAP_TYPES, BPF_PROGRAM_TYPES } from './bpf-names.ts';
import { baseName, bodyBoolean, bodyLong, bodyText, type Field, some } from './field.ts';

const module = {
  operation: bodyLong(leaf.Module.operation),
  fromMemory: bodyBoolean(leaf.Module.fromMemory),
  nameSource: bodyLong(leaf.Module.nameSource),
  taints: bodyLong(leaf.Module.taints),
  name: bodyText(leaf.Module.nameBytes),
  path: bodyText(leaf.Module.pathBytes),
  parameters: bodyText(leaf.Module.parametersBytes),
};
const { ModuleName: NAME, ModuleOperation: OPERATION } = records;

/** What the system call is called; undefined: the event is about no module. */
export function moduleCall(event: EventView): string | undefined {
  if (event.cursor.kind !== KIND.Module) return undefined;
  if (module.operation(event) === OPERATION.OPERATION_MODULE_UNLOAD) return 'delete_module';
  return module.fromMemory(event) ? 'init_module' : 'finit_module';
}

const moduleFields: readonly Field[] = [
  {
    name: 'kernel.module.name',
    type: 'string',
    doc: 'Name of the kernel module: its own when it was loaded; else what its file or the caller says.',
    kinds: ['module'],
    get: (event) => some(module.name(event)),
  },
  {
    name: 'kernel.module.name_is_own',
    type: 'bool',
    doc: "The name is the module's own, told by the kernel.",
    kinds: ['module'],
    get: (event) => module.nameSource(event) === NAME.KERNEL,
  },
  {
    name: 'kernel.module.path',
    type: 'string',
    doc: "Path of the module's file; absent when it was loaded from memory.",
    kinds: ['module'],
    get: (event) => some(module.path(event)),
  },
  {
    name: 'kernel.module.file',
    type: 'string',
    doc: 'Last component of the path.',
    kinds: ['module'],
    get: (event) => some(baseName(module.path(event))),
  },
  {
    name: 'kernel.module.from_memory',
    type: 'bool',
    doc: 'Loaded from memory (init_module): no file is known.',
    kinds: ['module'],
    get: module.fromMemory,
  },
  {
    name: 'kernel.module.parameters',
    type: 'string',
    doc: "Parameters of the load, as they stand in the caller's memory.",
    aliases: ['evt.arg.uargs'],
    kinds: ['module'],
    get: (event) => some(module.parameters(event)),
  },
  {
    name: 'kernel.module.taints',
    type: 'number',
    doc: 'What the module taints the kernel with: bit 12 out of tree, bit 13 unsigned, bit 0 proprietary.',
    kinds: ['module'],
    get: module.taints,
  },
];

const bpf = {
  command: bodyLong(leaf.Bpf.command),
  type: bodyLong(leaf.Bpf.programType),
  attachType: bodyLong(leaf.Bpf.attachType),
  id: bodyLong(leaf.Bpf.id),
  name: bodyText(leaf.Bpf.nameBytes),
};
const commandOf = (event: EventView): string => BPF_COMMANDS[bpf.command(event)] ?? String(bpf.command(event));
const isPath = (event: EventView): boolean => commandOf(event).startsWith('BPF_OBJ_');
const isMap = (event: EventView): boolean => commandOf(event) === 'BPF_MAP_CREATE';
/** Commands that say what they attach to; of the others 0 would read as the first of them. */
const ATTACHING: ReadonlySet<string> = new Set([
  'BPF_PROG_ATTACH',
  'BPF_PROG_DETACH',
  'BPF_LINK_CREATE',
  'BPF_PROG_LOAD',
]);
const named = (list: readonly string[], value: number): string => list[value] ?? String(value);

const bpfFields: readonly Field[] = [
  {
    name: 'bpf.command',
    type: 'string',
    doc: 'BPF_PROG_LOAD, BPF_MAP_CREATE, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_LINK_DETACH, BPF_RAW_TRACEPOINT_OPEN, BPF_OBJ_PIN, BPF_OBJ_GET or BPF_TOKEN_CREATE. Other commands are not reported.',
    aliases: ['evt.arg.cmd'],
    kinds: ['bpf'],
    get: commandOf,
  },
  {
    name: 'bpf.program.type',
    type: 'string',
    doc: 'kprobe, tracing, lsm, xdp, cgroup_sock_addr, …: of the program that is loaded or attached.',
    kinds: ['bpf'],
    get: (event) => (isMap(event) || bpf.type(event) === 0 ? undefined : named(BPF_PROGRAM_TYPES, bpf.type(event))),
  },
  {
    name: 'bpf.map.type',
    type: 'string',
    doc: 'hash, array, ringbuf, …: of the map that is made.',
    kinds: ['bpf'],
    get: (event) => (isMap(event) ? named(BPF_MAP_TYPES, bpf.type(event)) : undefined),
  },
  {
    name: 'bpf.attach.type',
    type: 'string',
    doc: 'What it attaches to: cgroup_inet4_connect, trace_fentry, lsm_mac, xdp, …',
    kinds: ['bpf'],
    get: (event) => (ATTACHING.has(commandOf(event)) ? named(BPF_ATTACH_TYPES, bpf.attachType(event)) : undefined),
  },
  {
    name: 'bpf.name',
    type: 'string',
    doc: 'Name of the program, map or tracepoint.',
    kinds: ['bpf'],
    get: (event) => (isPath(event) ? undefined : some(bpf.name(event))),
  },
  {
    name: 'bpf.path',
    type: 'string',
    doc: "Where it is pinned or fetched from: the caller's copy.",
    kinds: ['bpf'],
    get: (event) => (isPath(event) ? some(bpf.name(event)) : undefined),
  },
  {
    name: 'bpf.id',
    type: 'number',
    doc: "The kernel's number of the program or map; absent when it is not known.",
    kinds: ['bpf'],
    get: (event) => bpf.id(event) || undefined,
  },
];

const sysctl = {
  name: bodyText(leaf.Sysctl.nameBytes),
  before: bodyText(leaf.Sysctl.beforeBytes),
  after: bodyText(leaf.Sysctl.afterBytes),
};
/** As sysctl(8) writes it: the separators change places, since names of interfaces hold dots. */
const dotted = (name: string): string => name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));

const sysctlFields: readonly Field[] = [
  {
    name: 'sysctl.name',
    type: 'string',
    doc: 'Which sysctl is written, as sysctl(8) calls it: kernel.core_pattern.',
    kinds: ['sysctl'],
    get: (event) => some(dotted(sysctl.name(event))),
  },
  {
    name: 'sysctl.value',
    type: 'string',
    doc: 'What is written; the kernel may still refuse it.',
    kinds: ['sysctl'],
    get: (event) => sysctl.after(event),
  },
  {
    name: 'sysctl.previous',
    type: 'string',
    doc: 'The value before.',
    kinds: ['sysctl'],
    get: (event) => sysctl.before(event),
  },
];

const ARGUMENTS = [leaf.SystemChange.first, leaf.SystemChange.second, leaf.SystemChange.third];
const systemText = bodyText(leaf.SystemChange.textBytes);
const systemDetail = bodyText(leaf.SystemChange.detailBytes);

const systemFields: readonly Field[] = [
  {
    name: 'system.argument',
    type: 'number',
    doc: 'A number the system call was given: of perf_event_open type, event and process; of keyctl the operation and the key; of syslog the action; of reboot its two magic numbers and the command; of clocks the clock and the time.',
    kinds: ['system_change'],
    argument: 'index',
    get: ({ cursor }, index) => {
      const leaf = ARGUMENTS[Number(index)];
      return leaf === undefined ? undefined : Number(u64ToBigInt(cursor.buffer, cursor.leafAt(leaf)));
    },
  },
  {
    name: 'system.text',
    type: 'string',
    doc: 'A text the system call was given: the path of swap, accounting or a quota, the new name of the host, the description of a key, the file of a kernel.',
    kinds: ['system_change'],
    get: (event) => some(systemText(event)),
  },
  {
    name: 'system.detail',
    type: 'string',
    doc: 'A second text: the type of a key, the command line of a kernel.',
    kinds: ['system_change'],
    get: (event) => some(systemDetail(event)),
  },
];

/** Of events that concern the kernel itself. */
export const kernelFields: readonly Field[] = [...moduleFields, ...bpfFields, ...sysctlFields, ...systemFields];
