import { baseName, type FieldValue } from '@ringfence/fields';
import { type Constraint, isPositive, satisfied } from './constraint.ts';
import { inLastComponent, type Shape, shapesOf } from './shapes.ts';
import { PATH, textsOf, WORDS } from './texts.ts';
import { type Placed, wordsOf } from './words.ts';

/** The program of a process, of its parent, or of the process that wrote it. */
export interface Program {
  readonly path: string;
  readonly args: readonly string[];
}

/** The part of a program that a field shows. */
type Aspect = 'path' | 'name' | 'comm' | 'args' | 'line' | 'exe' | 'rest' | 'cmdline' | 'script' | 'words';

const SELF: Readonly<Record<string, Aspect>> = {
  'process.executable': 'path',
  'process.name': 'name',
  'process.args': 'args',
  'process.command_line': 'line',
  'process.named_script': 'script',
  'process.args_length': 'line',
  'falco.proc.name': 'comm',
  'falco.proc.exe': 'exe',
  'falco.proc.args': 'rest',
  'falco.proc.cmdline': 'cmdline',
  'falco.proc.exeline': 'line',
  'falco.proc.cmdnargs': 'words',
};
const PARENT: Readonly<Record<string, Aspect>> = {
  'process.parent.executable': 'path',
  'process.parent.name': 'name',
  'process.parent.command_line': 'line',
  'falco.proc.pname': 'comm',
  'falco.proc.pexe': 'exe',
  'falco.proc.pcmdline': 'cmdline',
};
const WRITER: Readonly<Record<string, Aspect>> = {
  'process.exec.writer.executable': 'path',
  'process.exec.writer.name': 'name',
};
export const PROGRAMS: Readonly<Record<'self' | 'parent' | 'writer', Readonly<Record<string, Aspect>>>> = {
  self: SELF,
  parent: PARENT,
  writer: WRITER,
};
export type Role = keyof typeof PROGRAMS;

/** Length of a name in the kernel. */
const COMM = 15;
/** Programs, and command lines of each, that are tried. */
const TRIED = 120;
/** Interpreters whose first argument is a script. */
const INTERPRETER = '/usr/bin/python3';

const commOf = (path: string): string => baseName(path).slice(0, COMM);

function aspectOf(role: Role, { test }: Constraint): Aspect {
  return PROGRAMS[role][test.operand.field.name]!;
}

/** Returns the value of a field for a program. */
function shown(aspect: Aspect, { path, args }: Program, argument: string | number | undefined): FieldValue {
  const rest = args.slice(1).join(' ');
  switch (aspect) {
    case 'path':
      return path;
    case 'name':
      return baseName(path);
    case 'comm':
      return commOf(path);
    case 'args':
      return typeof argument === 'number' ? (args[argument] === undefined ? undefined : [args[argument]]) : args;
    case 'line':
      return args.join(' ');
    case 'exe':
      return args[0];
    case 'rest':
      return rest;
    case 'cmdline':
      return args.length > 1 ? `${commOf(path)} ${rest}` : commOf(path);
    case 'words':
      return args.length - 1;
    default:
      return args[1];
  }
}

const OF_PATH: ReadonlySet<Aspect> = new Set(['path', 'name', 'comm']);

/** Yields programs that satisfy the constraints on one role, as far as these can be decided from it. */
export function* programs(role: Role, constraints: readonly Constraint[]): Generator<Program> {
  const known = constraints.map((constraint) => ({ constraint, aspect: aspectOf(role, constraint) }));
  const isLength = ({ test }: Constraint): boolean => test.operand.field.name === 'process.args_length';
  const fits = (program: Program, ofPath: boolean): boolean =>
    known.every(
      ({ constraint, aspect }) =>
        (ofPath && !OF_PATH.has(aspect)) ||
        isLength(constraint) ||
        satisfied(constraint, shown(aspect, program, constraint.test.operand.argument)),
    );
  let paths = 0;
  for (const path of pathsOf(known)) {
    if (!fits({ path, args: [] }, true)) continue;
    if (++paths > TRIED) return;
    let lines = 0;
    for (const args of argsOf(known, path)) {
      if (++lines > TRIED) break;
      if (fits({ path, args }, false)) yield { path, args };
    }
  }
}

interface Known {
  readonly constraint: Constraint;
  readonly aspect: Aspect;
}

/** Returns shapes for each positive constraint. */
const positive = (known: readonly Known[]): readonly Known[] =>
  known.filter(({ constraint }) => isPositive(constraint) && constraint.test.comparedWith === undefined);

function* pathsOf(known: readonly Known[]): Generator<string> {
  const lists = positive(known).flatMap(({ constraint, aspect }): (readonly Shape[])[] => {
    if (aspect === 'path') return [shapesOf(constraint.test)];
    if (aspect === 'name' || aspect === 'comm') return [shapesOf(constraint.test).map(inLastComponent)];
    return aspect === 'cmdline' ? [shapesOf(constraint.test).map(ofFirstWord)] : [];
  });
  if (positive(known).some(({ aspect }) => aspect === 'script')) yield INTERPRETER;
  yield* textsOf(lists, { ...PATH, ends: ['x', 'tool', ''] });
}

/** The name is the first word of Falco's command line. */
function ofFirstWord({ exact, prefix }: Shape): Shape {
  const [first = '', ...rest] = (exact ?? prefix ?? '').split(' ');
  if (first === '') return {};
  return exact !== undefined || rest.length > 0 ? { suffix: `/${first}` } : { infixes: [`/${first}`] };
}

/** Yields arguments. Without constraints there is only the name. */
function* argsOf(known: readonly Known[], path: string): Generator<readonly string[]> {
  const demanded = positive(known).filter(({ aspect }) => !OF_PATH.has(aspect));
  const isIndexed = ({ aspect, constraint }: Known): boolean =>
    aspect === 'args' && typeof constraint.test.operand.argument === 'number';
  const byIndex = Map.groupBy(demanded.filter(isIndexed), ({ constraint }) => Number(constraint.test.operand.argument));
  const placed = [
    ...[...byIndex].map(([at, some]) => wordsAt(at, some)),
    ...demanded.filter((one) => !isIndexed(one)).map(placements),
  ];
  for (const first of [baseName(path), path]) yield* wordsOf(first, placed);
}

/** Returns words that satisfy all constraints on one argument. */
function wordsAt(at: number, known: readonly Known[]): readonly Placed[] {
  const words = textsOf(
    known.map(({ constraint: { test } }) => shapesOf(test)),
    { ...WORDS, glue: ['', 'x'] },
  );
  const fitting: Placed[] = [];
  for (const word of words) {
    if (fitting.length >= TRIED) break;
    if (known.every(({ constraint }) => satisfied(constraint, [word])))
      fitting.push({ at, words: [word], whole: true });
  }
  return fitting;
}

/** Returns where words must stand to satisfy a constraint, one for each way. */
function placements({ constraint: { test }, aspect }: Known): readonly Placed[] {
  const shapes = shapesOf(test);
  const { field } = test.operand;
  if (field.name === 'process.args_length') return [{ at: 'any', words: [] }];
  const isCount = aspect === 'args' && test.operand.transforms.at(-1) === 'length';
  if (aspect === 'words' || isCount)
    return [{ at: 'any', words: Array<string>(Math.min(64, Number(test.values[0]) + 1)).fill('x') }];
  if (aspect === 'exe') return shapes.map((shape) => ({ at: 0, words: [first(shape)] }));
  if (aspect === 'script') return shapes.map((shape) => ({ at: 1, words: [pathOf(shape)] }));
  if (aspect === 'args') return shapes.map((shape) => ({ at: 'any', words: [first(shape)], whole: true }));
  return shapes.flatMap((shape) => placedLine(shape, aspect));
}

const first = (shape: Shape): string => textsOf([[shape]], { ...WORDS, glue: ['', 'x'] }).next().value ?? 'x';
const pathOf = (shape: Shape): string => textsOf([[shape]], PATH).next().value ?? '/tmp/x';

function placedLine({ exact, prefix, infixes = [], suffix }: Shape, aspect: Aspect): Placed[] {
  const start = aspect === 'line' ? 0 : 1;
  const text = exact ?? prefix;
  // Falco's command line begins with the name, which the path determines.
  const head = aspect === 'cmdline' ? text?.split(' ').slice(1).join(' ') : text;
  if (exact !== undefined) return [{ at: start, words: split(head ?? ''), last: true }];
  const placed: Placed = {
    at: head === undefined || head === '' ? 'any' : start,
    words: head === undefined || head === '' ? [] : split(head),
    inside: infixes.map(split),
    ...(suffix === undefined || suffix === '' ? {} : { end: split(suffix) }),
  };
  return [placed];
}

/** Splits a part of a line into words. A space at its start or end separates it from others. */
function split(text: string): string[] {
  const words = text.split(' ');
  if (words.length > 1 && words[0] === '') words.shift();
  if (words.length > 1 && words.at(-1) === '') words[words.length - 1] = 'x';
  return words;
}
