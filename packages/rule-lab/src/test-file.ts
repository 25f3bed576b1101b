import { didYouMean } from '@ringfence/rules';
import { isMap, isScalar, isSeq, LineCounter, type Node, type YAMLMap } from 'yaml';
import type { GivenEvent } from './events/given.ts';
import { Misplaced, parseYaml, placeOf, positionIn, readWritten } from './events/written.ts';

/** What should come of the events. */
export interface Expected {
  /** of the rule; undefined: one or more */
  readonly alerts: number | undefined;
  readonly priority: string | undefined;
  /** of the first alert, as a whole */
  readonly output: string | undefined;
}

/** One row of a table of tests. */
export interface RuleTest {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  readonly rule: string;
  /** empty when a recording is played */
  readonly events: readonly GivenEvent[];
  /** a recording, relative to the file */
  readonly recording: string | undefined;
  readonly expect: Expected;
}

/** What is wrong with a test file. */
export interface TestFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface TestFile {
  readonly tests: readonly RuleTest[];
  readonly faults: readonly TestFault[];
}

/** The keys, for whoever writes a schema of them. */
export const TEST_KEYS = {
  file: ['rule', 'tests'],
  test: ['test', 'rule', 'events', 'recording', 'expect'],
  expect: ['alerts', 'priority', 'output'],
} as const;

const MAX_LENGTH = 2_097_152;

/** Reads a table of tests; a test with faults is left out, the others are there. */
export function readTestFile(file: string, text: string): TestFile {
  const reader = new Reader(file);
  try {
    return { tests: reader.read(text), faults: reader.faults };
  } catch (error) {
    if (!(error instanceof Misplaced)) throw error;
    reader.report(error);
    return { tests: [], faults: reader.faults };
  }
}

class Reader {
  readonly faults: TestFault[] = [];
  readonly #file: string;
  readonly #lines = new LineCounter();

  constructor(file: string) {
    this.#file = file;
  }

  report({ at, message }: Misplaced): void {
    this.faults.push({ file: this.#file, ...positionIn(this.#lines, at), message });
  }

  read(text: string): RuleTest[] {
    if (text.length > MAX_LENGTH)
      throw new Misplaced(0, `the file has ${text.length} characters; ${MAX_LENGTH} are allowed`);
    const root = this.#map(parseYaml(text, this.#lines), 'rule: … and tests: […]', TEST_KEYS.file);
    const tests = root.get('tests', true) as Node | undefined;
    if (!isSeq<Node>(tests)) throw new Misplaced(placeOf(tests ?? root), "expected 'tests: [ … ]'");
    const rule = this.#text(root, 'rule');
    return tests.items.flatMap((node) => this.#attempt(() => this.#test(node, rule)));
  }

  #attempt<T>(read: () => T): T[] {
    try {
      return [read()];
    } catch (error) {
      if (!(error instanceof Misplaced)) throw error;
      this.report(error);
      return [];
    }
  }

  #test(node: Node, ruleOfFile: string | undefined): RuleTest {
    const test = this.#map(node, 'test: …, events: […], expect: alert', TEST_KEYS.test);
    const at = placeOf(test);
    const rule = this.#text(test, 'rule') ?? ruleOfFile;
    if (rule === undefined) throw new Misplaced(at, "a test needs 'rule', its own or of the file");
    const recording = this.#text(test, 'recording');
    const events = test.get('events', true) as Node | undefined;
    if ((recording === undefined) === (events === undefined))
      throw new Misplaced(at, "a test has either 'events' or 'recording'");
    const list = events === undefined ? [] : isSeq<Node>(events) ? events.items : [events];
    return {
      file: this.#file,
      line: positionIn(this.#lines, at).line,
      title: this.#text(test, 'test') ?? '',
      rule,
      recording,
      events: list.map((one) => this.#event(one)),
      expect: this.#expect(test.get('expect', true) as Node | undefined, at),
    };
  }

  #event(node: Node): GivenEvent {
    return readWritten(this.#map(node, "the event's fields: { event.action: exec, process.name: bash }"));
  }

  #expect(node: Node | undefined, at: number): Expected {
    const none = { alerts: undefined, priority: undefined, output: undefined };
    if (isMap(node)) {
      const map = this.#map(node, 'alerts: 2', TEST_KEYS.expect);
      const alerts = this.#text(map, 'alerts');
      return {
        alerts: alerts === undefined ? undefined : this.#count(alerts, placeOf(map)),
        priority: this.#text(map, 'priority'),
        output: this.#text(map, 'output'),
      };
    }
    const word = isScalar(node) ? String(node.value) : '';
    if (word === 'alert') return none;
    if (word === 'none') return { ...none, alerts: 0 };
    if (/^\d+$/.test(word)) return { ...none, alerts: this.#count(word, placeOf(node)) };
    throw new Misplaced(
      node === undefined ? at : placeOf(node),
      "'expect' is alert, none, a number of alerts, or { alerts, priority, output }",
    );
  }

  #count(text: string, at: number): number {
    if (/^\d{1,6}$/.test(text)) return Number(text);
    throw new Misplaced(at, `'alerts' is a number, not '${text}'`);
  }

  #map(node: Node | null | undefined, example: string, keys?: readonly string[]): YAMLMap<Node, Node | null> {
    if (!isMap<Node, Node | null>(node)) throw new Misplaced(placeOf(node), `expected ${example}`);
    for (const { key } of keys === undefined ? [] : node.items) {
      const name = String(key);
      if (keys!.includes(name)) continue;
      throw new Misplaced(
        placeOf(key),
        `unknown key '${name}'. ${didYouMean(name, keys!, `Keys: ${keys!.join(', ')}.`)}`,
      );
    }
    return node;
  }

  #text(map: YAMLMap<Node, Node | null>, key: string): string | undefined {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined) return undefined;
    if (isScalar(node)) return String(node.value);
    throw new Misplaced(placeOf(node), `'${key}' must be text`);
  }
}
