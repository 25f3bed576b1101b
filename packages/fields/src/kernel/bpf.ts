import { type EventView, leaf } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { BPF_ATTACH_TYPES, BPF_COMMANDS, BPF_MAP_TYPES, BPF_PROGRAM_TYPES } from '../names/bpf.ts';

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
/** Commands with an attach type. For others, the value 0 would be read as the first attach type. */
const ATTACHING: ReadonlySet<string> = new Set([
  'BPF_PROG_ATTACH',
  'BPF_PROG_DETACH',
  'BPF_LINK_CREATE',
  'BPF_PROG_LOAD',
]);
const named = (list: readonly string[], value: number): string => list[value] ?? String(value);

export const bpfFields: readonly Field[] = [
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
    doc: 'kprobe, tracing, lsm, xdp, cgroup_sock_addr, …: type of the loaded or attached program.',
    kinds: ['bpf'],
    get: (event) => (isMap(event) || bpf.type(event) === 0 ? undefined : named(BPF_PROGRAM_TYPES, bpf.type(event))),
  },
  {
    name: 'bpf.map.type',
    type: 'string',
    doc: 'hash, array, ringbuf, …: type of the created map.',
    kinds: ['bpf'],
    get: (event) => (isMap(event) ? named(BPF_MAP_TYPES, bpf.type(event)) : undefined),
  },
  {
    name: 'bpf.attach.type',
    type: 'string',
    doc: 'Attach type: cgroup_inet4_connect, trace_fentry, lsm_mac, xdp, …',
    kinds: ['bpf'],
    get: (event) => (ATTACHING.has(commandOf(event)) ? named(BPF_ATTACH_TYPES, bpf.attachType(event)) : undefined),
  },
  {
    name: 'bpf.name',
    type: 'string',
    doc: 'Name of the program, map or tracepoint.',
    kinds: ['bpf'],
    get: (event) => (isPath(event) ? undefined : nonEmpty(bpf.name(event))),
  },
  {
    name: 'bpf.path',
    type: 'string',
    doc: "Path where the object is pinned or fetched from: the caller's copy.",
    kinds: ['bpf'],
    get: (event) => (isPath(event) ? nonEmpty(bpf.name(event)) : undefined),
  },
  {
    name: 'bpf.id',
    type: 'number',
    doc: "The kernel's id of the program or map; absent when it is not known.",
    kinds: ['bpf'],
    get: (event) => bpf.id(event) || undefined,
  },
];
