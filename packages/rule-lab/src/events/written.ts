import { OperatorError } from '@ringfence/base';
import { render } from '@ringfence/rules';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { GivenError, type GivenEvent, readGiven } from './given.ts';

/** Something that stands where it can't be understood. */
export class Misplaced extends Error {
  /** offset in the text */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

export const placeOf = (node: Node | null | undefined): number => node?.range?.[0] ?? 0;

/** Where something stands, from 1. */
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

/** @throws Misplaced */
export function readWritten(map: YAMLMap<Node, Node | null>): GivenEvent {
  try {
    return readGiven(map.items.map(({ key, value }) => [String(key), textsOf(value)] as const));
  } catch (error) {
    if (!(error instanceof GivenError)) throw error;
    const pair = map.items.find(({ key }) => String(key) === error.key);
    throw new Misplaced(placeOf(pair?.key ?? map), error.message);
  }
}

/** Texts and lists of them; what is anything else is refused by the field. Aliases are not followed: nothing grows by them. */
function textsOf(node: Node | null): unknown {
  if (isScalar(node)) return node.value ?? '';
  if (isSeq<Node>(node)) return node.items.map(textsOf);
  return isAlias(node) ? `*${node.source}` : {};
}

/** The events of a file: one or a list of them; in JSON lines one a line. @throws OperatorError that says where it is wrong */
export function readEventFile(path: string, text: string): GivenEvent[] {
  if (!path.endsWith('.jsonl')) return eventsIn(path, text, text, 1);
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : eventsIn(path, line, text, index + 1)));
}

/** @param part of the text, that begins with its line `first` */
function eventsIn(path: string, part: string, text: string, first: number): GivenEvent[] {
  const lines = new LineCounter();
  try {
    const root = parseYaml(part, lines);
    return (isSeq<Node>(root) ? root.items : [root]).map(eventOf);
  } catch (error) {
    if (!(error instanceof Misplaced)) throw error;
    const { line, column } = positionIn(lines, error.at);
    const place = { file: path, line: line + first - 1, column };
    const said = { severity: 'error', code: 'event', message: error.message, hint: '', item: '' } as const;
    throw new OperatorError(render({ ...place, ...said }, text));
  }
}

function eventOf(node: Node | null): GivenEvent {
  if (!isMap<Node, Node | null>(node))
    throw new Misplaced(placeOf(node), 'expected an event: { event.action: exec, process.name: bash }');
  if (node.has('tests')) throw new Misplaced(placeOf(node), 'tables of tests are played by ringfence rules test');
  return readWritten(node);
}
