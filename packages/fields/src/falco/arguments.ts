import { type EventView, KIND, type LongLeaf, leaf, records, UNSET_ID, u64ToBigInt } from '@ringfence/wire';
import { accessor, type Field, type FieldValue } from '../field.ts';
import { fileFields } from '../file/file.ts';
import { mountFields } from '../file/mount.ts';
import { capabilityNames } from '../names/capabilities.ts';
import { execFields } from '../process/exec.ts';
import { isolationFields } from '../process/isolation.ts';
import { listedArguments } from './argument-list.ts';
import { anyOf, falco, never } from './define.ts';
import { argsAt, restOf } from './names.ts';

const { OpenFlag: FLAG } = records;
/** Flags that are equal on all architectures. */
const OPEN_FLAGS = [
  'O_CREAT',
  'O_EXCL',
  'O_TRUNC',
  'O_APPEND',
  'O_NONBLOCK',
  'O_DSYNC',
  'O_SYNC',
  'O_CLOEXEC',
] as const;
const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR'];
const MODES = 'S_IXOTH S_IWOTH S_IROTH S_IXGRP S_IWGRP S_IRGRP S_IXUSR S_IWUSR S_IRUSR S_ISVTX S_ISGID S_ISUID'.split(
  ' ',
);
const MOUNT_NAMES: Readonly<Record<string, string>> = { ro: 'RDONLY' };

const openFlags = accessor(fileFields, 'file.open.flags');
const fileMode = accessor(fileFields, 'file.mode');
const upper = accessor(execFields, 'process.exec.upper_layer');
const memfd = accessor(execFields, 'process.exec.memfd');
const cloneFlags = accessor(isolationFields, 'process.clone.flags');
const mountFlags = accessor(mountFields, 'mount.flags');

const joined = (value: FieldValue): string | undefined =>
  typeof value === 'object' ? value.join('|') || undefined : undefined;

function openFlagNames(event: EventView): string | undefined {
  const flags = openFlags(event);
  if (typeof flags !== 'number') return undefined;
  const names = OPEN_FLAGS.filter((name) => (flags & FLAG[name]) === FLAG[name]);
  return [ACCESS[flags & FLAG.O_ACCMODE] ?? 'O_RDWR', ...names].join('|');
}

function execFlagNames(event: EventView): string | undefined {
  const names = [upper(event) === true ? 'EXE_UPPER_LAYER' : '', memfd(event) === true ? 'EXE_FROM_MEMFD' : ''];
  return joined(names.filter((name) => name !== ''));
}

function flagNames(event: EventView): string | undefined {
  switch (event.cursor.kind) {
    case KIND.Exec:
      return execFlagNames(event);
    case KIND.MountChange: {
      const flags = mountFlags(event);
      return joined(
        typeof flags === 'object' ? flags.map((flag) => `MS_${MOUNT_NAMES[flag] ?? flag.toUpperCase()}`) : undefined,
      );
    }
    case KIND.Open:
    case KIND.IoUring:
      return openFlagNames(event);
    default:
      return joined(cloneFlags(event));
  }
}

function modeNames(event: EventView): string | undefined {
  const mode = fileMode(event);
  return typeof mode === 'number' ? (joined(MODES.filter((_, bit) => (mode >>> bit) & 1)) ?? '0') : undefined;
}

const { CredentialsChange: CHANGE } = leaf;

/** Returns root, or the number: the names of other users and groups are unknown. */
function idOf(after: LongLeaf, changed: LongLeaf): Field['get'] {
  return ({ cursor }) => {
    let id: number;
    if (cursor.kind === KIND.CredentialsChange) id = cursor.leafLong(after);
    else if (cursor.kind === KIND.FileChange) id = cursor.leafLong(changed);
    else id = Number(u64ToBigInt(cursor.buffer, cursor.leafAt(leaf.Attempt.first)) & 0xffff_ffffn);
    if (id === UNSET_ID) return undefined;
    return id === 0 ? 'root' : String(id);
  };
}

const credential = (name: string, after: LongLeaf): Field =>
  falco(`evt.arg.${name}`, 'string', `${name} after the change.`, ({ cursor }) => String(cursor.leafLong(after)), {
    kinds: ['credentials'],
  });
const capabilities = (name: string, set: 'capInheritable' | 'capPermitted' | 'capEffective'): Field =>
  falco(
    `evt.arg.cap_${name}`,
    'string',
    `Names of the ${name} capabilities after the call: CAP_CHOWN|….`,
    ({ cursor }) => {
      const { [set]: at } = cursor.kind === KIND.Exec ? leaf.Exec.credentials : CHANGE.after;
      return joined(capabilityNames(cursor.buffer, cursor.leafAt(at)));
    },
    { kinds: ['credentials', 'exec'] },
  );
const idKinds = ['credentials', 'file_change', 'attempt'];

/** evt.arg.NAME for arguments that no other field has in Falco's form. */
export const falcoArgumentFields: readonly Field[] = [
  falco('evt.arg.flags', 'string', 'O_CREAT|…, EXE_UPPER_LAYER|…, CLONE_NEWNS|…, MS_BIND|….', flagNames, {
    kinds: ['open', 'io_uring', 'exec', 'fork', 'isolation', 'mount_change'],
  }),
  falco('evt.arg.mode', 'string', 'S_ISUID|S_IXUSR|….', modeNames, { kinds: ['open', 'file_change'] }),
  falco('evt.arg.uid', 'string', 'New user: root, or the number.', idOf(CHANGE.after.uid, leaf.FileChange.uid), {
    kinds: idKinds,
  }),
  falco('evt.arg.gid', 'string', 'New group: root, or the number.', idOf(CHANGE.after.gid, leaf.FileChange.gid), {
    kinds: idKinds,
  }),
  credential('ruid', CHANGE.after.uid),
  credential('euid', CHANGE.after.euid),
  credential('suid', CHANGE.after.suid),
  credential('rgid', CHANGE.after.gid),
  credential('egid', CHANGE.after.egid),
  credential('sgid', CHANGE.after.sgid),
  capabilities('inheritable', 'capInheritable'),
  capabilities('permitted', 'capPermitted'),
  capabilities('effective', 'capEffective'),
  falco('evt.arg.exe', 'string', 'First argument of the exec.', (event) => argsAt(event)?.[0], { kinds: ['exec'] }),
  falco('evt.arg.args', 'string', 'The other arguments of the exec.', (event) => restOf(argsAt(event) ?? []), {
    kinds: ['exec'],
  }),
];

/** Names of arguments that stand for fields of several kinds, and the arguments by their position. */
export function falcoArgumentUnions(fields: readonly Field[]): readonly Field[] {
  const arg = (name: string, type: Field['type'], ...of: readonly [string, ...string[]]): Field =>
    anyOf(`evt.arg.${name}`, type, `As ${of.join(', ')}.`, fields, ...of);
  const named = [
    arg('name', 'string', 'file.path', 'memory.path'),
    arg('filename', 'string', 'process.exec.filename', 'file.path'),
    arg('pathname', 'string', 'process.exec.filename'),
    arg('res', 'string', 'falco.evt.res'),
    arg('target', 'string', 'file.target_path', 'io_uring.target'),
    arg('newpath', 'string', 'file.target_path', 'io_uring.target'),
    arg('fd', 'number', 'falco.fd.num'),
    arg('oldfd', 'number', 'redirect.source_descriptor'),
    arg('newfd', 'number', 'redirect.descriptor'),
    arg('tuple', 'string', 'falco.fd.tuple', 'network.unix.path'),
    arg('addr', 'string', 'falco.fd.tuple', 'network.unix.path'),
    arg('type', 'string', 'ringfence.socket.type', 'mount.filesystem'),
    arg('proto', 'number', 'ringfence.socket.protocol'),
    arg('backlog', 'number', 'ringfence.socket.backlog'),
    arg('nstype', 'strings', 'process.clone.flags'),
    arg('comm', 'string', 'falco.proc.name'),
    arg('tid', 'number', 'process.thread.id'),
    arg('ptid', 'number', 'process.parent.pid'),
    arg('cwd', 'string', 'process.working_directory'),
    arg('env', 'strings', 'process.env_vars'),
  ];
  const raw = (name: string, type: Field['type'], of: string): Field =>
    anyOf(`evt.rawarg.${name}`, type, `As ${of}.`, fields, of);
  const numbers = [
    raw('res', 'number', 'falco.evt.rawres'),
    raw('fd', 'number', 'falco.fd.num'),
    raw('flags', 'number', 'file.open.flags'),
    raw('mode', 'number', 'file.mode'),
    raw('uid', 'number', 'user.changes.id'),
    raw('sig', 'number', 'signal.number'),
  ];
  return [...named, ...numbers, ...listedArguments([...fields, ...named])];
}

export const falcoArgumentNever: readonly Field[] = never(
  'contents of buffers and their sizes are not recorded',
  'evt.arg.data evt.arg.size evt.arg.addrlen evt.rawarg.data evt.rawarg.size',
);
