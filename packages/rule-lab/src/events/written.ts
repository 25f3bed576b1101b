import { OperatorError } from '@ringfence/base';
import { render } from '@ringfence/rules';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { type GivenEvent, type GivenProcess, givenCommand, readGiven, readProcess } from './given.ts';
import { GivenError } from './given-fields.ts';

type Mapping = YAMLMap<Node, Node | null>;

/** A fault of a YAML text, with its place. */
export class Misplaced extends Error {
  /** Offset in the text. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

export const routeOf = (node: Node | null | undefined): number => node?.range?.[0] ?? 0;

/** Returns line and column of an offset, from 1. */
export function positionIn(lines: LineCounter, at: number): { line: number; column: number } {
  const { line, col } = lines.linePos(at);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** @throws Misplaced */
export function parseYaml(text: string, lineCounter: LineCounter): Node | null {
  const options = { lineCounter, prettyErrors: false, schema: 'failsafe', logLevel: 'silent' } as const;
  const { contents, errors } = parseDocument(text, options);
  const [broken] = errors;
  if (broken === undefined) return contents;
  throw new Misplaced(Math.min(broken.pos[0], text.trimEnd().length), `this is not valid YAML: ${broken.message}`);
}

const EXAMPLE = 'an event: a command line, or fields such as { event.action: exec, process.name: bash }';

/** Reads an event: a command line or a mapping. @throws Misplaced */
export function readWritten(node: Node | null): GivenEvent {
  if (isScalar(node)) return placed(node, () => givenCommand(String(node.value ?? '')));
  if (!isMap<Node, Node | null>(node)) throw new Misplaced(routeOf(node), `expected ${EXAMPLE}`);
  return placed(node, () => readGiven(entriesOf(node)));
}

/** Reads the process that a mapping defines. @throws Misplaced */
export function readWrittenProcess(node: Mapping, isKey: (key: string) => boolean): GivenProcess {
  return placed(node, () => readProcess(entriesOf(node).filter(([key]) => !isKey(key))));
}

/** A fault of a key stands where the key does. */
function placed<T>(node: Node, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GivenError)) throw error;
    throw new Misplaced(routeOf(keyIn(node, error.key) ?? node), error.message);
  }
}

function keyIn(node: Node | null, key: string): Node | undefined {
  if (isSeq<Node>(node)) return firstOf(node.items, (item) => keyIn(item, key));
  if (!isMap<Node, Node | null>(node)) return undefined;
  const found = node.items.find((pair) => String(pair.key) === key)?.key;
  return found ?? firstOf(node.items, ({ value }) => keyIn(value, key));
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const entriesOf = (map: Mapping): [key: string, value: unknown][] =>
  map.items.map(({ key, value }) => [String(key), plain(value)]);

/** Texts, lists and mappings. An alias is not followed, so that a short text cannot describe a large value. */
function plain(node: Node | null): unknown {
  if (isScalar(node)) return node.value ?? '';
  if (isSeq<Node>(node)) return node.items.map(plain);
  if (isMap<Node, Node | null>(node)) return Object.fromEntries(entriesOf(node));
  return isAlias(node) ? `*${node.source}` : {};
}

/**
 * Reads the events of a file: one event or a list, and in JSON lines one event a line.
 * @throws OperatorError with the place of a fault
 */
export function readEventFile(path: string, text: string): GivenEvent[] {
  if (!path.endsWith('.jsonl')) return eventsIn(path, text, text, 1);
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : eventsIn(path, line, text, index + 1)));
}

/** @param part of the text, which begins with its line `first` */
function eventsIn(path: string, part: string, text: string, first: number): GivenEvent[] {
  const lines = new LineCounter();
  try {
    const root = parseYaml(part, lines);
    return (isSeq<Node>(root) ? root.items : [root]).map(eventOf);
  } catch (error) {
    if (!(error instanceof Misplaced)) throw error;
    const { line, column } = positionIn(lines, error.at);
    const place = { file: path, line: line + first - 1, column };
    const fault = { severity: 'error', code: 'event', message: error.message, hint: '', item: '' } as const;
    throw new OperatorError(render({ ...place, ...fault }, text));
  }
}

function eventOf(node: Node | null): GivenEvent {
  if (isMap(node) && node.has('tests'))
    throw new Misplaced(routeOf(node), 'a test file is played by ringfence rules test');
  return readWritten(node);
}
