import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { assertTrusted, messageOf } from '@ringfence/base';
import { Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { FileProblem } from './problem.ts';

/** More than any such file needs; a wrong path must not fill the memory. */
const FILE_MAX_BYTES = 2 ** 20;
const SOURCE_LINE_CHARS = 200;
/** Errors of YAML that are reported: an unclosed bracket can lead to one for each line. */
const ERRORS_MAX = 100;

export interface YamlSource {
  readonly name: string;
  readonly text: string;
}

/** Describes the items that the files contain. */
export interface CheckedSchema<T> {
  /** For messages: `policy` */
  readonly noun: string;
  readonly schema: z.ZodType<T>;
  readonly nameOf: (item: T) => string;
  /** The directory that `builtin` means among the paths. @default `builtin` is a path like any other */
  readonly builtin?: string;
  /** Whether a file holds items: the others are left out. @default every file does */
  readonly isItem?: (file: string) => boolean;
}

export interface CheckedItems<T> {
  /** Items without a problem */
  readonly items: readonly T[];
  readonly problems: readonly FileProblem[];
}

/**
 * Reads files and directories of files. A file that can't be read, or that a user with fewer rights than this process
 * could change, is a problem; Ringfence's own directory is not checked for that.
 */
export function readCheckedFiles<T>(paths: readonly string[], kind: CheckedSchema<T>): CheckedItems<T> {
  const problems: FileProblem[] = [];
  const sources: YamlSource[] = [];
  for (const path of paths) {
    const isBuiltin = path === 'builtin' && kind.builtin !== undefined;
    try {
      const files = filesOf(isBuiltin ? kind.builtin : path).filter((file) => kind.isItem?.(file) ?? true);
      if (!isBuiltin) for (const file of [path, ...files]) assertTrusted(file);
      sources.push(...files.map((file) => readSource(file, kind.noun)));
    } catch (error) {
      const message = `the file can't be read: ${messageOf(error)}`;
      problems.push({ file: path, line: 1, column: 1, message, source: '' });
    }
  }
  const checked = checkSources(sources, kind);
  return { items: checked.items, problems: [...problems, ...checked.problems] };
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
  return names.sort().map((name) => join(path, name));
}

function readSource(file: string, noun: string): YamlSource {
  const { size } = statSync(file);
  if (size > FILE_MAX_BYTES)
    throw new RangeError(`${file} has ${size} bytes; a ${noun} file has at most ${FILE_MAX_BYTES}`);
  return { name: file, text: readFileSync(file, 'utf8') };
}

/** A source holds one item or a list of items. */
export function checkSources<T>(sources: readonly YamlSource[], kind: CheckedSchema<T>): CheckedItems<T> {
  const items = new Map<string, T>();
  const problems: FileProblem[] = [];
  for (const source of sources) {
    const file = new CheckedFile(source, kind);
    for (const { item, offset } of file.items) {
      const name = kind.nameOf(item);
      if (items.has(name)) file.report(offset, `a ${kind.noun} is called "${name}" already: rename one of the two`);
      else items.set(name, item);
    }
    problems.push(...file.problems);
  }
  return { items: [...items.values()], problems };
}

class CheckedFile<T> {
  readonly items: { readonly item: T; readonly offset: number }[] = [];
  readonly problems: FileProblem[] = [];
  readonly #source: YamlSource;
  readonly #schema: z.ZodType<T>;
  readonly #lines = new LineCounter();
  readonly #document: Document;

  constructor(source: YamlSource, { schema }: CheckedSchema<T>) {
    this.#source = source;
    this.#schema = schema;
    this.#document = this.#parse(source.text);
    for (const error of this.#document.errors.slice(0, ERRORS_MAX))
      this.report(error.pos[0], `not valid YAML: ${error.message}`);
    if (this.problems.length > 0) return;
    const value = this.#value();
    if (value === null || value === undefined) return;
    if (isSeq(this.#document.contents) && Array.isArray(value)) {
      value.forEach((item: unknown, index) => {
        this.#check(item, [index]);
      });
    } else this.#check(value, []);
  }

  #parse(text: string): Document {
    try {
      return parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.report(0, 'not valid YAML: it is nested too deeply');
      return new Document(null);
    }
  }

  #value(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 20 });
    } catch (error) {
      this.report(0, `the YAML aliases can't be resolved: ${messageOf(error)}`);
      return undefined;
    }
  }

  #check(value: unknown, path: readonly PropertyKey[]): void {
    const parsed = this.#schema.safeParse(value);
    if (parsed.success) this.items.push({ item: parsed.data, offset: this.#offset(path) });
    else for (const issue of parsed.error.issues) this.#reportIssue(issue, path);
  }

  #reportIssue(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): void {
    const at = [...path, ...issue.path];
    const prefix = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    if (issue.code !== 'unrecognized_keys') {
      const params: Readonly<Record<string, unknown>> = (issue.code === 'custom' ? issue.params : undefined) ?? {};
      const { isSecret = false, offset = 0 } = params;
      const start = this.#offset(at) + this.#within(at, Number(offset));
      this.report(start, `${prefix}${issue.message}`, isSecret === true ? 'none' : 'line');
      return;
    }
    for (const key of issue.keys) {
      this.report(this.#offset(at, key), `${prefix}unknown key "${key}"`, 'key');
    }
  }

  /** Returns the offset of a value, or of its nearest parent in the file; with `key`, the offset of that key in it. */
  #offset(path: readonly PropertyKey[], key?: string): number {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? this.#document.contents : this.#document.getIn(path.slice(0, length), true);
      const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const found = pair !== undefined && isNode(pair.key) ? pair.key : node;
      if (isNode(found) && found.range) return found.range[0];
    }
    return 0;
  }

  /** Returns where a position in a text is in the file; 0 for a text that is not written on one line as it is. */
  #within(path: readonly PropertyKey[], position: number): number {
    const node = this.#document.getIn(path, true);
    if (position === 0 || !isScalar(node) || !node.range) return 0;
    const written = this.#source.text.slice(node.range[0], node.range[1]);
    const at = written.indexOf(String(node.value));
    return at < 0 ? 0 : at + position;
  }

  /** @param shown part of the line: the value of an unknown key may be a secret whose key is misspelt */
  report(offset: number, message: string, shown: 'line' | 'key' | 'none' = 'line'): void {
    const { line, col } = this.#lines.linePos(offset);
    const [row, column] = [Math.max(1, line), Math.max(1, col)];
    const text = this.#source.text.split('\n', row)[row - 1]?.slice(0, SOURCE_LINE_CHARS).trimEnd() ?? '';
    const keyEnd = text.indexOf(':', column - 1);
    const source = shown === 'key' && keyEnd >= 0 ? `${text.slice(0, keyEnd + 1)} …` : text;
    const isShown = shown !== 'none' && column <= text.length + 1;
    this.problems.push({ file: this.#source.name, line: row, column, message, source: isShown ? source : '' });
  }
}
