import { type EventView, kindName, layouts } from '@ringfence/wire';
import { eventFields } from '../event.ts';
import { accessor, type Field } from '../field.ts';
import { falco } from './define.ts';

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
  execve:
    'res exe args tid pid ptid cwd - - - - - - comm - env - - - flags cap_inheritable cap_permitted cap_effective',
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
export function listedArguments(fields: readonly Field[]): Field[] {
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
