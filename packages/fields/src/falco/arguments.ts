import {
  type EventView,
  KIND,
  kindName,
  type LongLeaf,
  layouts,
  leaf,
  records,
  UNSET_ID,
  u64ToBigInt,
} from '@ringfence/wire';
import { eventFields } from '../event.ts';
import { accessor, type Field, type FieldValue } from '../field.ts';
import { fileFields } from '../file/file.ts';
import { mountFields } from '../file/mount.ts';
import { capabilityNames } from '../names/capabilities.ts';
import { execFields } from '../process/exec.ts';
import { isolationFields } from '../process/isolation.ts';
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
  return [...named, ...numbers, ...listed([...fields, ...named])];
}

/** Kinds on which the argument `pid` is the event's own process. */
const OF_ITSELF: ReadonlySet<string> = new Set(['exec', 'fork']);
const callOf = accessor(eventFields, 'evt.type');
const KINDS = layouts.map(({ name }) => kindName(name));
/** Arguments of Falco's events by kind, in Falco's order. */
const ORDER: Readonly<Record<string, string>> = {
  open: 'fd name flags mode',
  exec: 'res exe args tid pid ptid cwd comm filename flags',
  fork: 'res tid pid ptid flags',
  connect: 'res tuple fd',
  accept: 'fd tuple',
  file_change: 'res path oldpath newpath target linkpath mode uid gid',
  mount_change: 'res dev dir type flags',
  socket: 'domain type proto tuple',
  redirect: 'res oldfd newfd',
  credentials: 'res uid gid',
  process_access: 'res request pid',
  signal: 'pid sig',
  module: 'res uargs',
  bpf: 'res cmd',
};

/** Positions of the arguments by Falco's event type, where some arguments are not recorded (`-`). */
const PLACES: Readonly<Record<string, string>> = {
  openat: 'fd - name flags mode',
  execve: 'res exe args tid pid ptid cwd - - - - - - comm - env - - - flags cap_inheritable cap_permitted cap_effective',
  clone: 'res - - tid pid ptid - - - - - - - - - flags',
  rename: 'res oldpath newpath',
  link: 'res oldpath newpath',
  symlink: 'res target linkpath',
  unlink: 'res path',
  rmdir: 'res path',
  mkdir: 'res path mode',
  chmod: 'res filename mode',
  chown: 'res path uid gid',
  setresuid: 'res ruid euid suid',
  setresgid: 'res rgid egid sgid',
  capset: 'res cap_inheritable cap_permitted cap_effective',
  ptrace: 'res - - request pid',
};

interface NamedField {
  readonly name: string;
  readonly field: Field;
}

/** Arguments of events, resolved on first use: resolving all of them would slow down each start. */
class Arguments {
  readonly #fields: readonly Field[];
  readonly #orders = new Map<string, readonly NamedField[]>();
  readonly #places = new Map<string, readonly (Field | undefined)[]>();

  constructor(fields: readonly Field[]) {
    this.#fields = fields;
  }

  /** Returns the arguments of a kind, in Falco's order. */
  of(kind: string): readonly NamedField[] {
    let order = this.#orders.get(kind);
    if (order === undefined) {
      const names = (ORDER[kind] ?? '').split(' ');
      order = names.flatMap((name) => {
        const field = this.#find(name, kind);
        return field === undefined ? [] : [{ name, field }];
      });
      this.#orders.set(kind, order);
    }
    return order;
  }

  /** Returns the argument at this position of an event of this kind and Falco's type. */
  at(kind: string, type: string | undefined, index: number): Field | undefined {
    const places = type === undefined ? undefined : this.#placesOf(kind, type);
    return places === undefined ? this.of(kind)[index]?.field : places[index];
  }

  #placesOf(kind: string, type: string): readonly (Field | undefined)[] | undefined {
    const names = Object.hasOwn(PLACES, type) ? PLACES[type] : undefined;
    if (names === undefined) return undefined;
    const key = `${kind} ${type}`;
    let places = this.#places.get(key);
    if (places === undefined) {
      places = names.split(' ').map((name) => this.#find(name, kind));
      this.#places.set(key, places);
    }
    return places;
  }

  #find(name: string, kind: string): Field | undefined {
    const fields = this.#fields;
    if (name === 'pid' && OF_ITSELF.has(kind)) return fields.find((candidate) => candidate.name === 'process.pid');
    const field =
      fields.find((candidate) => candidate.name === `falco.evt.arg.${name}`) ??
      fields.find((candidate) => candidate.aliases?.includes(`evt.arg.${name}`));
    return field?.kinds === undefined || field.kinds.includes(kind) ? field : undefined;
  }
}

/** evt.arg[0] and evt.args. */
function listed(fields: readonly Field[]): Field[] {
  const argumentsOf = new Arguments(fields);
  const kindOf = ({ cursor }: EventView): string => KINDS[cursor.kind] ?? '';
  const placed = (event: EventView, index: number): Field | undefined => {
    const type = callOf(event);
    return argumentsOf.at(kindOf(event), typeof type === 'string' ? type : undefined, index);
  };
  const shown = (field: Field, event: EventView): string | undefined => {
    const value = field.constants?.[kindOf(event)] ?? field.get(event);
    return value === undefined ? undefined : typeof value === 'object' ? value.join('|') : String(value);
  };
  const all = (event: EventView): string =>
    argumentsOf
      .of(kindOf(event))
      .map(({ name, field }) => [name, shown(field, event)])
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
  return [
    falco(
      'evt.arg',
      'string',
      'Argument of the call by its position, from 0.',
      (event, index) => {
        const field = placed(event, Number(index));
        return field && shown(field, event);
      },
      { argument: 'index' },
    ),
    falco('evt.args', 'string', 'All arguments of the call: name=value ….', all),
    falco('evt.info', 'string', 'All arguments of the call: name=value ….', all),
  ];
}

export const falcoArgumentNever: readonly Field[] = never(
  'contents of buffers and their sizes are not recorded',
  'evt.arg.data evt.arg.size evt.arg.addrlen evt.rawarg.data evt.rawarg.size',
);
