import { baseName, directory, extension, type FieldValue, fieldNamed } from '@ringfence/fields';
import { normalPath } from '@ringfence/wire';
import { type Constraint, isPositive, isPresent, satisfied } from './constraint.ts';
import { PROGRAMS, type Program, programs, type Role } from './program.ts';
import { inDirectory, inExtension, inLastComponent, type Shape, shapesOf } from './shapes.ts';
import { PATH, textsOf } from './texts.ts';
import { take, valuesOf } from './values.ts';

/** A written event by the keys of the test language. */
export type Entries = Readonly<Record<string, unknown>>;

/** Constraints that are satisfied together, because their fields show one thing. */
export interface Group {
  readonly name: string;
  readonly constraints: readonly Constraint[];
  /** Something has to be written for them: not all of them hold on absent fields. */
  readonly isDemanded: boolean;
}

type View = (path: string) => FieldValue;
const action = fieldNamed('event.action')!;
const same: View = (path) => path;
const RAW: ReadonlySet<string> = new Set(['file.raw_path', 'falco.fd.nameraw', 'falco.fs.path.nameraw']);

/** Fields that show a path, and how. */
const FILE: Readonly<Record<string, { readonly view: View; readonly lift: (shape: Shape) => Shape }>> = {
  'file.path': { view: same, lift: (shape) => shape },
  'file.name': { view: baseName, lift: inLastComponent },
  'file.directory': { view: directory, lift: inDirectory },
  'file.extension': { view: extension, lift: inExtension },
  'fs.path.source': { view: same, lift: (shape) => shape },
  'file.raw_path': { view: same, lift: (shape) => shape },
  'falco.fd.nameraw': { view: same, lift: (shape) => shape },
  'falco.fs.path.nameraw': { view: same, lift: (shape) => shape },
};
/** A runtime lets a program into a container that is there. */
const ENTERED: Entries = { parent: ['systemd', '/usr/bin/runc exec x'], 'container.name': 'web-1', 'process.vpid': 8 };
/** Age of the process at the event, in a value of its field. */
const AGE = 'age';
/** Flags of Falco's argument, and the keys that give them. */
const FLAGS: Readonly<Record<string, string>> = {
  O_TRUNC: 'file.open.truncate',
  O_CREAT: 'file.open.create',
  O_APPEND: 'file.open.append',
};

/** Fields whose value another field's key of the test language gives. */
const WRITTEN_AS: Readonly<Record<string, string>> = {
  'fs.path.target': 'file.target_path',
  'falco.fs.path.targetraw': 'file.target_path',
  'falco.fd.ip': 'destination.ip',
  'falco.fd.rip': 'destination.ip',
  'falco.fd.rport': 'destination.port',
  'falco.container.id': 'container.id',
  'falco.container.name': 'container.name',
  'user.before.id': 'user.id',
  'user.before.effective.id': 'user.effective.id',
  'falco.fd.type': 'network.type',
  'falco.proc.duration': AGE,
  'process.uptime': AGE,
  'falco.evt.res': 'event.result',
  'falco.evt.rawres': 'event.result',
  'falco.fd.num': 'event.result',
};

/** Returns the name of the group that a constraint belongs to. */
export function groupOf({ test: { operand } }: Constraint): string {
  const { name } = operand.field;
  for (const role of ['self', 'parent', 'writer'] as const) if (Object.hasOwn(PROGRAMS[role], name)) return role;
  if (Object.hasOwn(FILE, name)) return 'file';
  if (/^process\.ancestors\.|^falco\.proc\.a(?:name|exe|cmdline)$/.test(name)) return 'ancestors';
  const written = WRITTEN_AS[name] ?? name;
  return operand.argument === undefined ? written : `${written}[${operand.argument}]`;
}

/** Puts constraints into groups, in the order of their first. */
export function groupsOf(constraints: readonly Constraint[]): readonly Group[] {
  return [...Map.groupBy(constraints, groupOf)].map(([name, some]) => ({
    name,
    constraints: some,
    isDemanded: some.some(isPresent),
  }));
}

/** Yields entries of a written event that satisfy the constraints of a group. */
export function* entriesOf({ name, constraints }: Group, kind: string): Generator<Entries> {
  switch (name) {
    case 'self':
    case 'parent':
    case 'writer':
      for (const program of programs(name, constraints)) yield ofProgram(name, program, constraints);
      return;
    case 'file':
      yield* ofFile(constraints);
      return;
    case 'evt.type':
      yield* ofCall(constraints, kind);
      return;
    case 'ancestors':
      yield* ofAncestors(constraints);
      return;
    default:
      for (const value of valuesOf(constraints, kind)) yield* ofValue(name, value);
  }
}

function ofProgram(role: Role, { path, args }: Program, constraints: readonly Constraint[]): Entries {
  const asksForArgs = constraints.some(({ test: { operand } }) => /arg|line|script|exe$/.test(operand.field.name));
  if (role === 'writer') return { writer: path };
  if (role === 'parent')
    return {
      'process.parent.executable': path,
      ...(asksForArgs ? { 'process.parent.command_line': args.join(' ') } : {}),
    };
  return { 'process.executable': path, ...(asksForArgs ? { 'process.args': args } : {}) };
}

/** Yields the actions of a kind: the one that is called like the system call first. */
function* ofCall(constraints: readonly Constraint[], kind: string): Generator<Entries> {
  const actions = action.constants?.[kind] === undefined ? (action.values?.[kind] ?? []) : [];
  const named = constraints.filter(isPositive).flatMap(({ test }) => test.values.map(String));
  for (const name of actions.filter((one) => named.includes(one))) yield { 'event.action': name };
  if (actions.length === 0) yield {};
  for (const name of actions.filter((one) => !named.includes(one))) yield { 'event.action': name };
}

function* ofFile(constraints: readonly Constraint[]): Generator<Entries> {
  const lists = constraints
    .filter((one) => isPositive(one) && one.test.comparedWith === undefined && !RAW.has(one.test.operand.field.name))
    .map(({ test }) => shapesOf(test).map(FILE[test.operand.field.name]!.lift));
  for (const path of textsOf(lists, PATH)) {
    if (!path.startsWith('/')) continue;
    // A path as the caller passed it may go back and forth.
    const isRaw = constraints.some(({ test }) => RAW.has(test.operand.field.name));
    for (const given of isRaw ? [path, path.replace(/\/([^/]*)$/, '/x/../x/../$1')] : [path]) {
      const shown = (name: string): FieldValue => FILE[name]!.view(RAW.has(name) ? given : normalPath(given));
      if (!constraints.every((constraint) => satisfied(constraint, shown(constraint.test.operand.field.name))))
        continue;
      yield isRaw ? { 'file.path': path, 'file.raw_path': given } : { 'file.path': given };
      if (isRaw) yield { 'file.path': path, 'file.raw_path': given, 'event.outcome': 'failure' };
    }
  }
}

/** The first of a list is the parent. */
function* ofAncestors(constraints: readonly Constraint[]): Generator<Entries> {
  const isIndexed = ({ test }: Constraint): boolean => test.operand.argument !== undefined;
  const demanded = [
    ...constraints.filter(isIndexed),
    ...constraints.filter((one) => isPositive(one) && !isIndexed(one)),
  ];
  const list: string[] = [];
  const paths = demanded.map((one) => {
    const { test } = one;
    const isPath = test.operand.field.name === 'process.ancestors.executable';
    const shapes = isPositive(one) ? shapesOf(test) : [];
    return [...take(textsOf([isPath ? shapes : shapes.map(inLastComponent)], PATH), 8)];
  });
  for (let variant = 0; variant < 8; variant++) {
    list.length = 0;
    for (const [i, some] of paths.entries()) {
      const path = some[Math.min(variant, some.length - 1)] ?? '/usr/bin/x';
      const { argument } = demanded[i]!.test.operand;
      // Without an index, below the ones that have one: the parent may be demanded by itself.
      const at = typeof argument === 'number' ? argument - 1 : Math.max(1, list.length);
      list[at] ??= path;
    }
    yield { 'process.ancestors.executable': Array.from(list, (path) => path ?? '/usr/bin/x') };
  }
}

/** Yields entries for the value of one field. The test language has other keys for some fields. */
function* ofValue(name: string, value: FieldValue): Generator<Entries> {
  if (name === 'file.setid') yield { 'file.mode': value === true ? 0o4755 : 0o755 };
  else if (name === 'falco.fd.typechar') yield* ofDescriptor(String(value));
  else if (name === 'network.type') yield* ofFamily(String(value));
  else if (name === 'process.thread.capabilities.effective') yield { 'user.id': 0 };
  else if (name === 'falco.evt.arg.flags') yield ofFlags(String(value));
  else if (name === 'network.bytes') yield { 'source.bytes': value };
  else if (name === AGE) yield { age: Number(value) };
  else if (name === 'container.entry') yield value === 'entrypoint' ? { parent: 'runc' } : ENTERED;
  else yield { [name]: name.endsWith(']') && typeof value === 'object' ? value[0] : value };
}

function ofFlags(flags: string): Entries {
  const keys = Object.entries(FLAGS).filter(([flag]) => flags.includes(flag));
  return { 'file.open.write': true, ...Object.fromEntries(keys.map(([, key]) => [key, true])) };
}

function* ofDescriptor(character: string): Generator<Entries> {
  if (character === 'd') yield { 'file.type': 'dir' };
  else if (character === '4') yield* ofFamily('ipv4');
  else if (character === '6') yield* ofFamily('ipv6');
  else if (character === 'u') yield* ofFamily('unix');
  else yield {};
}

function* ofFamily(type: string): Generator<Entries> {
  if (type === 'unix') yield { 'network.unix.path': '/run/x.sock' };
  else if (type === 'ipv6') yield { 'destination.ip': '2001:db8::9' };
  else yield {};
}
