import {
  type Alias,
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParseOptions,
  parseAllDocuments,
  parseDocument,
  Scalar,
  type SchemaOptions,
} from 'yaml';
import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';

/** Content of a rule file, without anchors, tags or types: every scalar is text. `at` is an offset in the file. */
export type Yaml = YamlText | YamlList | YamlMap;

export interface YamlText {
  readonly kind: 'text';
  readonly text: string;
  readonly quoted: boolean;
  readonly at: number;
  /** Converts an offset in `text` to an offset in the file. */
  readonly place: (offset: number) => number;
  /** For a text with parts of other files: converts an offset in `text` to a file and a position. */
  readonly origin?: (offset: number) => { readonly home: Home; readonly at: number };
}

/** Takes the faults of a file. */
export interface Home {
  report(severity: 'error' | 'warning', fault: Fault, item: string): void;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly Yaml[];
  readonly at: number;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  readonly at: number;
}

export interface YamlEntry {
  readonly key: string;
  readonly at: number;
  readonly value: Yaml;
}

export interface YamlFile {
  /** Undefined: the file is empty or broken. */
  readonly root: Yaml | undefined;
  readonly faults: readonly Fault[];
  position(offset: number): { readonly line: number; readonly column: number };
}

/** The documents of a file, each without its broken parts. */
export interface YamlStream {
  readonly roots: readonly Yaml[];
  readonly faults: readonly Fault[];
  position(offset: number): { readonly line: number; readonly column: number };
}

/** Reads a rule file. Never throws because of its content. */
export function readYaml(text: string): YamlFile {
  const { roots, faults, position } = read(text, (options) => [parseDocument(text, options)]);
  return { root: faults.length === 0 ? roots[0] : undefined, faults, position };
}

/** Reads a file of any number of documents (`---`) and leaves out broken ones. Never throws because of its content. */
export function readYamlStream(text: string): YamlStream {
  return read(text, (options) => [...parseAllDocuments(text, options)]);
}

type Options = ParseOptions & DocumentOptions & SchemaOptions;

function read(text: string, parse: (options: Options) => readonly Document.Parsed[]): YamlStream {
  const lines = new LineCounter();
  const position = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (text.length > LIMITS.sourceLength) {
    const message = `the file has ${text.length} characters; ${LIMITS.sourceLength} are allowed`;
    const fault = new Fault('too-long', 0, message, 'Split it.');
    return { roots: [], faults: [fault], position: () => ({ line: 1, column: 1 }) };
  }
  // uniqueKeys compares each key with all keys before it; duplicates are found where keys are read.
  const options: Options = {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    schema: 'failsafe',
    logLevel: 'silent',
  };
  const roots: Yaml[] = [];
  const faults: Fault[] = [];
  const reader = new Reader(text);
  for (const document of parse(options)) {
    if (document.errors.length > 0) faults.push(...faultsOf(document, text, position));
    else if (document.contents !== null) readRoot(reader, document, roots, faults);
  }
  return { roots, faults, position };
}

/** Reports the first fault of a line only, since the others usually follow from it. */
function faultsOf({ errors }: Document.Parsed, text: string, position: YamlFile['position']): Fault[] {
  const lines = new Set<number>();
  const firsts = errors.filter(({ pos: [at] }) => {
    const { line } = position(at);
    const isFirst = !lines.has(line);
    lines.add(line);
    return isFirst;
  });
  const end = text.trimEnd().length;
  return firsts.slice(0, LIMITS.diagnosticsPerSource).map(({ message, pos }) => {
    const at = Math.min(pos[0], end);
    const before = text.slice(at + 1 - position(at).column, at + 1);
    return new Fault('yaml', at, explain(message), /^ *\t/.test(before) ? 'Indent with spaces, not with tabs.' : '');
  });
}

function readRoot(reader: Reader, document: Document.Parsed, roots: Yaml[], faults: Fault[]): void {
  try {
    roots.push(reader.document(document));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    faults.push(error);
  }
}

function explain(message: string): string {
  if (message.startsWith('Maximum call stack')) return 'collections are nested too deeply';
  return `this is not valid YAML: ${message.replace(/^Missing closing (.)quote$/, 'a closing $1 is missing')}`;
}

class Reader {
  readonly #text: string;
  #document: Document.Parsed | undefined;
  #values = 0;
  #aliases = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Aliases point into their own document; counts cover all documents. */
  document(document: Document.Parsed): Yaml {
    this.#document = document;
    return this.read(document.contents as Node, 0);
  }

  read(node: Node, depth: number): Yaml {
    const at = node.range?.[0] ?? 0;
    if (depth > LIMITS.yamlDepth)
      throw new Fault('too-deep', at, `more than ${LIMITS.yamlDepth} nested YAML collections`);
    if (++this.#values > LIMITS.yamlValues)
      throw new Fault('too-long', at, `more than ${LIMITS.yamlValues} values in one file`, 'Split it.');
    if (isAlias(node)) return this.#alias(node, at, depth);
    if (isScalar(node)) return this.#scalar(node, at);
    if (isSeq<Node>(node)) return { kind: 'list', items: node.items.map((item) => this.read(item, depth + 1)), at };
    if (isMap<Node, Node | null>(node)) {
      return { kind: 'map', at, entries: node.items.map(({ key, value }) => this.#entry(key, value, depth)) };
    }
    throw new Fault('yaml', at, 'expected text, a list or a mapping');
  }

  #entry(key: Node, value: Node | null, depth: number): YamlEntry {
    const at = key.range?.[0] ?? 0;
    if (!isScalar(key)) throw new Fault('yaml', at, 'expected a word as key');
    const empty: YamlText = { kind: 'text', text: '', quoted: false, at, place: () => at };
    return { key: String(key.value), at, value: value === null ? empty : this.read(value, depth + 1) };
  }

  #alias(node: Alias, at: number, depth: number): Yaml {
    // Each lookup walks the document.
    if (++this.#aliases > LIMITS.aliasesPerSource) {
      throw new Fault(
        'too-long',
        at,
        `more than ${LIMITS.aliasesPerSource} YAML aliases in one file`,
        'Use macros and lists instead.',
      );
    }
    const target = node.resolve(this.#document!);
    if (target === undefined) throw new Fault('yaml', at, `no anchor '&${node.source}' before this alias`);
    return this.read(target, depth + 1);
  }

  #scalar(node: Scalar, at: number): YamlText {
    const text = String(node.value ?? '');
    const raw = this.#text.slice(at, node.range?.[1] ?? at);
    const quoted = node.type === Scalar.QUOTE_SINGLE || node.type === Scalar.QUOTE_DOUBLE;
    const block = node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL;
    const start = block ? raw.indexOf('\n') + 1 : quoted ? 1 : 0;
    return { kind: 'text', text, quoted, at, place: (offset) => at + rawOffset(text, raw, start, offset) };
  }
}

const LOST = 12;

/**
 * Returns the position of a scalar's character in the source. Folding, indentation and escapes only change white space
 * and add characters, so both texts are walked together; a character that is not found nearby (an escape such as \x41)
 * is skipped.
 */
function rawOffset(text: string, raw: string, start: number, offset: number): number {
  let at = start;
  for (let i = 0; i < text.length && i < offset + 1; i++) {
    const char = text[i]!;
    if (/\s/.test(char)) continue;
    const found = raw.indexOf(char, at);
    const between = found === -1 ? '' : raw.slice(at, found);
    if (found === -1 || between.replace(/\s+/g, '').length > LOST) continue;
    if (i >= offset) return found;
    at = found + 1;
  }
  return Math.min(at, raw.length);
}
