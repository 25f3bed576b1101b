import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { defined, distrustOf } from '@ringfence/base';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { ConfigError, type ConfigProblem } from './errors.ts';

/** Larger than any settings file. Bounds the memory that a wrong path can use. */
const FILE_MAX_BYTES = 1024 * 1024;

export interface SettingsFile {
  readonly path: string;
  readonly value: unknown;
  /** Returns the position of a key in the file or, if it is absent, of the nearest section above it. */
  locate(path: readonly PropertyKey[], key?: string): { readonly line: number; readonly column: number };
}

function problem(source: string, message: string, hint?: string): ConfigProblem {
  return { source, key: '', message, ...defined({ hint }) };
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'this user may not read the file',
  EISDIR: 'expected a file; it is a directory',
};

function readText(path: string): string {
  const file = openSync(path, 'r');
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new ConfigError([problem(path, 'expected a file; it is a directory')]);
    if (stat.size > FILE_MAX_BYTES)
      throw new ConfigError([problem(path, `expected at most ${FILE_MAX_BYTES} bytes; it has ${stat.size}`)]);
    // A user who can write the settings or the probes of a process has the rights of that process.
    const distrust = distrustOf(path);
    if (distrust !== null) throw new ConfigError([problem(path, `not trusted: ${distrust.message}`, distrust.command)]);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function positionOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
  key?: string,
): { line: number; column: number } {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const last = key !== undefined && length === path.length ? key : undefined;
    const pair =
      last !== undefined && isMap(node)
        ? node.items.find(({ key }) => isScalar(key) && String(key.value) === last)
        : undefined;
    const found = pair !== undefined && isNode(pair.key) ? pair.key : node;
    if (isNode(found) && found.range) {
      const { line, col } = lines.linePos(found.range[0]);
      return { line, column: col };
    }
  }
  return { line: 1, column: 1 };
}

/**
 * Reads a YAML file. Returns undefined if an optional file does not exist. Throws ConfigError if the file is unreadable
 * or is not YAML.
 */
export function readSettingsFile(path: string, optional: boolean): SettingsFile | undefined {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (optional && code === 'ENOENT') return undefined;
    throw new ConfigError([problem(path, READ_ERRORS[code] ?? `the file cannot be read (${code})`)], { cause: error });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { source: path, line, column: col, key: '', message: `not valid YAML: ${error.message}` };
      }),
    );
  }
  const locate = (at: readonly PropertyKey[], key?: string) => positionOf(document, lines, at, key);
  try {
    return { path, value: document.toJS({ maxAliasCount: 20 }) ?? {}, locate };
  } catch (error) {
    // Only aliases that expand without bound can throw at this point.
    throw new ConfigError(
      [problem(path, `its aliases cannot be resolved: ${error instanceof Error ? error.message : String(error)}`)],
      { cause: error },
    );
  }
}
