import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type ConfigProblem, readSettingsFile } from '@ringfence/config';
import { records } from '@ringfence/wire';
import { z } from 'zod';
import { parseExpression } from './expression.ts';
import { ARGUMENT_TYPES, type ArgumentSpec, type Expression, ProbeProblem, type ProbeSpec } from './types.ts';

const { PROBES_MAX, PROBE_ARGUMENTS_MAX, PROBE_BYTES_MAX } = records.Limit;
const BYTES_DEFAULT = 256;
const PER_SECOND = { default: 1000, max: 100_000 };

const named = (pattern: RegExp, expected: string): z.ZodString => z.string().regex(pattern, `expected ${expected}`);
const path = named(/^\/[^\0]{1,4095}$/, 'an absolute path');
const symbol = named(/^[^\s\p{Cc}]{1,512}$/u, "the name of a function as in the file's symbol table");
const event = named(/^\w{1,100}$/, 'up to 100 letters, digits and _');
const bytes = z.number().int().min(0).max(0xffff_ffff);

const argumentSchema = z.strictObject({
  name: named(/^[a-z_]\w{0,23}$/i, 'up to 24 letters, digits and _'),
  from: z.union([z.string(), z.number()]).transform(String),
  type: z.enum(ARGUMENT_TYPES),
  max: z.number().int().min(1).max(PROBE_BYTES_MAX).default(BYTES_DEFAULT),
  length: z.string().optional(),
});

const probeSchema = z.strictObject({
  name: named(/^[a-z0-9][\w.-]{0,63}$/i, 'up to 64 letters, digits, dots, dashes, underscores'),
  uprobe: z
    .strictObject({ path, symbol: symbol.default(''), offset: bytes.default(0), return: z.boolean().default(false) })
    .optional(),
  usdt: z.strictObject({ path, provider: symbol, name: symbol }).optional(),
  tracepoint: z.strictObject({ category: event, name: event }).optional(),
  arguments: z.array(argumentSchema).max(PROBE_ARGUMENTS_MAX).default([]),
  perSecond: z.number().int().min(1).max(PER_SECOND.max).default(PER_SECOND.default),
});
type Written = z.infer<typeof probeSchema>;

const TARGET_KINDS = ['uprobe', 'usdt', 'tracepoint'] as const;

/**
 * Reads probes from files and from the *.yaml files of directories. @throws ConfigError that lists every problem with
 * file, line and column
 */
export function readProbeFiles(paths: readonly string[]): ProbeSpec[] {
  const files = paths.flatMap(filesOf).map((file) => new ProbeFile(file));
  const problems = files.flatMap((file) => file.problems);
  const specs = files.flatMap((file) => file.specs);
  const seen = new Map<string, ProbeSpec>();
  for (const spec of specs) {
    const first = seen.get(spec.name);
    if (first === undefined) seen.set(spec.name, spec);
    else problems.push(problemAt(spec, `a probe ${spec.name} is already defined in ${first.defined}`));
  }
  const excess = specs[PROBES_MAX];
  if (excess !== undefined) problems.push(problemAt(excess, `too many probes: at most ${PROBES_MAX} are allowed`));
  if (problems.length > 0) throw new ConfigError(problems);
  return specs;
}

const problemAt = ({ defined, name }: ProbeSpec, message: string): ConfigProblem => ({
  source: defined,
  key: name,
  message,
});

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
    return names.sort().map((name) => join(path, name));
  } catch (cause) {
    const message = `it can't be read: ${(cause as Error).message}`;
    throw new ConfigError([{ source: path, key: '', message }], { cause });
  }
}

/** A file with a list of probes. */
class ProbeFile {
  readonly problems: ConfigProblem[] = [];
  readonly specs: ProbeSpec[] = [];
  readonly #file: NonNullable<ReturnType<typeof readSettingsFile>>;

  constructor(path: string) {
    const file = readSettingsFile(path, false);
    if (file === undefined) throw new TypeError(`${path} must exist`);
    this.#file = file;
    if (Array.isArray(file.value)) for (const [index, item] of file.value.entries()) this.#read(item, index);
    else if (Object.keys(file.value as object).length > 0) this.#report([], 'expected a list of probes');
  }

  #read(item: unknown, index: number): void {
    const parsed = probeSchema.safeParse(item);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) this.#reportIssue(issue, index);
      return;
    }
    const before = this.problems.length;
    const spec = this.#spec(parsed.data, index);
    if (spec !== undefined && this.problems.length === before) this.specs.push(spec);
  }

  #spec(written: Written, index: number): ProbeSpec | undefined {
    const kinds = TARGET_KINDS.filter((kind) => written[kind] !== undefined);
    if (kinds.length !== 1) {
      this.#report([index], `expected one of ${TARGET_KINDS.join(', ')}; got ${kinds.join(' and ') || 'none'}`);
      return undefined;
    }
    const { line, column } = this.#file.locate([index]);
    const { name, perSecond } = written;
    const defined = `${this.#file.path}:${line}:${column}`;
    return {
      name,
      defined,
      target: this.#target(written, index),
      arguments: this.#arguments(written, index),
      perSecond,
    };
  }

  #target({ uprobe, usdt, tracepoint }: Written, index: number): ProbeSpec['target'] {
    if (usdt !== undefined) return { kind: 'usdt', ...usdt };
    if (tracepoint !== undefined) return { kind: 'tracepoint', ...tracepoint };
    const { path = '', symbol = '', offset = 0, return: onReturn = false } = uprobe ?? {};
    if (symbol === '' && offset === 0)
      this.#report([index, 'uprobe'], 'expected symbol, offset (in the file), or both');
    if (onReturn && (symbol === '' || offset !== 0))
      this.#report([index, 'uprobe', 'return'], 'the return of a function needs its symbol, and no offset');
    return { kind: 'uprobe', path, symbol, offset, onReturn };
  }

  #arguments(written: Written, index: number): ArgumentSpec[] {
    const names = written.arguments.map(({ name }) => name);
    return written.arguments.map(({ name, from, type, max, length }, at) => {
      const where = [index, 'arguments', at];
      if (names.indexOf(name) !== at) this.#report([...where, 'name'], `an argument ${name} is already defined`);
      const expression = this.#expression(from, [...where, 'from']);
      if (expression !== undefined) this.#checkBase(expression.base, written, [...where, 'from']);
      const lengthOf = length === undefined ? undefined : names.slice(0, at).indexOf(length);
      if (lengthOf !== undefined && (lengthOf < 0 || type !== 'bytes'))
        this.#report(
          [...where, 'length'],
          type === 'bytes'
            ? `expected the name of a previous argument; got ${length}`
            : `only bytes have a length, not ${type}`,
        );
      return { name, from: expression ?? { base: '', offsets: [], offset: 0 }, type, max, lengthOf };
    });
  }

  #expression(text: string, where: readonly PropertyKey[]): Expression | undefined {
    try {
      return parseExpression(text);
    } catch (error) {
      if (!(error instanceof ProbeProblem)) throw error;
      this.#report(where, error.message);
      return undefined;
    }
  }

  /** A function's arguments are no longer available when it returns. */
  #checkBase(base: string, { uprobe, usdt }: Written, where: readonly PropertyKey[]): void {
    const argument = /^arg(\d{1,2})$/.test(base);
    if (uprobe?.return && base !== 'retval')
      this.#report(where, `expected retval; got ${base}: a function's arguments are not available when it returns`);
    else if (uprobe !== undefined && !uprobe.return && !argument)
      this.#report(
        where,
        `expected arg0, arg1, …; got ${base}${base === 'retval' ? ', which needs return: true' : ''}`,
      );
    else if (usdt !== undefined && !argument) this.#report(where, `expected arg0, arg1, …; got ${base}`);
  }

  #reportIssue(issue: z.core.$ZodIssue, index: number): void {
    const at = [index, ...issue.path];
    if (issue.code !== 'unrecognized_keys') this.#report(at, issue.message);
    else for (const key of issue.keys) this.#report(at, `"${key}" is not known here`, key);
  }

  #report(at: readonly PropertyKey[], message: string, key?: string): void {
    const shown = at.slice(1).map(String).join('.');
    this.problems.push({ source: this.#file.path, ...this.#file.locate(at, key), key: shown, message });
  }
}
