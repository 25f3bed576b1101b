import { type FieldValue, fieldNamed } from '@ringfence/fields';
import { type Constraint, isPositive, satisfied } from './constraint.ts';
import { type Shape, shapesOf } from './shapes.ts';
import { PATH, type Style, textsOf, WORDS } from './texts.ts';

/** Values of a field that are tried. */
const TRIED = 400;
const NUMBERS = [0, 1, 2, 3, 1000, 1001, 4444, 443, 80, 22, 53, 65_534, 8080, 100, 4096, 70_000, 1_000_000];
const ADDRESSES = ['203.0.113.9', '10.0.0.9', '127.0.0.1', '8.8.8.8', '192.168.1.9', '2001:db8::9', '::1', 'fe80::9'];
/** Words for fields whose values are names. */
const NAMES = ['ann', 'root', 'nobody', 'x'];
/** Values that only some fields have. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  'user.name': ['ann', 'root', 'nobody'],
  'user.target.name': ['bob', 'root', 'ann'],
  'network.transport': ['tcp', 'udp', 'icmp'],
  'network.type': ['ipv4', 'ipv6', 'unix'],
  'network.direction': ['egress', 'ingress'],
  'error.code': ['EACCES', 'ENOENT', 'EPERM', 'ENOEXEC', 'EINVAL'],
  'dns.question.name': ['example.com', 'a.example.org'],
  'container.id': ['c0ffee700'],
  'container.name': ['web-1', 'job-1'],
  'container.image.name': ['shop/web:1.4', 'alpine:3.20'],
  'container.image.repository': ['shop/web', 'alpine'],
  'container.entry': ['entrypoint', 'exec'],
};
const IS_PATH = /path|executable|filename|directory|script$|mount\.(?:source|target)|\.name$|module\.file/;

/** Yields values of one field that satisfy all constraints on it, which all have the same argument. */
export function* valuesOf(constraints: readonly Constraint[], kind: string): Generator<Exclude<FieldValue, undefined>> {
  const [first] = constraints;
  if (first === undefined) return;
  const { field } = first.test.operand;
  const texts = field.type === 'string' || field.type === 'strings' ? textCandidates(constraints, kind) : undefined;
  let left = TRIED;
  if (field.type === 'strings') yield* lists(constraints);
  for (const value of texts ?? plainCandidates(constraints)) {
    if (left-- <= 0) return;
    const whole = field.type === 'strings' ? [String(value)] : value;
    if (value === '' && constraints.some(({ test }) => test.operator === 'exists')) continue;
    if (isPossible(field.name, value) && constraints.every((constraint) => satisfied(constraint, whole))) yield whole;
  }
}

/** Whether the field can have the value at all. */
export function isPossible(name: string, value: FieldValue): boolean {
  const field = fieldNamed(name);
  if (typeof value !== 'string' || field === undefined) return true;
  if (field.neverIs?.(value) !== undefined) return false;
  return field.oneOf === undefined || field.oneOf.includes(value);
}

const shapeLists = (constraints: readonly Constraint[]): (readonly Shape[])[] =>
  constraints
    .filter((constraint) => isPositive(constraint) && constraint.test.comparedWith === undefined)
    .map(({ test }) => shapesOf(test));

function* textCandidates(constraints: readonly Constraint[], kind: string): Generator<string> {
  const field = fieldNamed(constraints[0]!.test.operand.field.name);
  const known = field?.values?.[kind] ?? field?.oneOf ?? USUAL[field?.name ?? ''];
  const demanded = shapeLists(constraints);
  if (known !== undefined) yield* known;
  yield* textsOf(demanded, styleOf(field?.name ?? '', demanded));
}

function styleOf(name: string, demanded: readonly (readonly Shape[])[]): Style {
  const isPath = IS_PATH.test(name) && !/domain|server_name|question|user|log\./.test(name);
  if (isPath || demanded.some((list) => list.some(({ prefix }) => prefix?.startsWith('/')))) return PATH;
  // A name alone, where nothing is demanded.
  return demanded.length === 0 ? { ...WORDS, starts: NAMES, ends: ['', 'x'] } : WORDS;
}

/** An element for each constraint, because any of several may satisfy it. */
function* lists(constraints: readonly Constraint[]): Generator<readonly string[]> {
  const elements = shapeLists(constraints).map((list) => [...take(textsOf([list], WORDS), 8)]);
  for (let i = 0; i < 8; i++) {
    const list = [...new Set(elements.map((some) => some[Math.min(i, some.length - 1)] ?? 'x'))];
    if (constraints.every((constraint) => satisfied(constraint, list))) yield list;
  }
}

export function* take<T>(values: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const value of values) {
    if (left-- <= 0) return;
    yield value;
  }
}

function* plainCandidates(constraints: readonly Constraint[]): Generator<string | number | boolean> {
  const { type } = constraints[0]!.test.operand.field;
  const demanded = constraints.filter((constraint) => constraint.test.comparedWith === undefined);
  if (type === 'bool') {
    yield* [true, false];
    return;
  }
  const values = demanded.filter(isPositive).flatMap(({ test }) => test.values.slice(0, 64));
  if (type === 'ip') {
    for (const value of values) yield* String(value).includes('/') ? members(String(value)) : [String(value)];
    yield* ADDRESSES;
    return;
  }
  const near = demanded.flatMap(({ test }) => test.values.slice(0, 64).map(Number));
  yield* values.map(Number);
  yield* NUMBERS;
  yield* near.flatMap((number) => [number + 1, number - 1, number * 2]).filter((number) => number >= 0);
}

/** Yields addresses of a network. */
function* members(network: string): Generator<string> {
  const [address = '', bits = '32'] = network.split('/');
  if (address.includes(':')) {
    const start = address.replace(/::$/, '');
    yield* [9, 10, 11].map((last) => `${start}::${last}`);
    return;
  }
  const base = address.split('.').reduce((all, part) => all * BYTE + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  for (const host of [9, 10, 200, BYTE + 9, 20 * BYTE + 9, BYTE ** 2 + 9, 7 * BYTE ** 2 + 9])
    yield dotted(base + (host % size));
}

const BYTE = 256;
const dotted = (address: number): string =>
  [BYTE ** 3, BYTE ** 2, BYTE, 1].map((unit) => Math.floor(address / unit) % BYTE).join('.');
