import { didYouMean, PRIORITIES } from '@ringfence/rules';
import { isMap, isScalar, isSeq, LineCounter, type Node, type YAMLMap } from 'yaml';
import { type Cast, KnownNames } from './events/cast.ts';
import type { GivenEvent, GivenProcess } from './events/given.ts';
import { Misplaced, parseYaml, positionIn, readWritten, readWrittenProcess, routeOf } from './events/written.ts';

/** What should come of the events. */
export interface Expected {
  /** Number of alerts; undefined: one or more, unless `rules` or `tactics` say more. */
  readonly alerts: number | undefined;
  readonly priority: string | undefined;
  /** Output of the first alert. */
  readonly output: string | undefined;
  /** Names of all rules that raise an alert. */
  readonly rules: readonly string[] | undefined;
  /** Tactics of all rules that raise an alert. */
  readonly tactics: readonly string[] | undefined;
  /** Lowest priority that counts for `rules` and `tactics`. */
  readonly from: string | undefined;
}

/** Rules that a test is about. */
export type Scope = 'rule' | 'recommended' | 'all';

/** One row of a table of tests. */
export interface RuleTest {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  /** Name of the rule; for a test of several rules their description. */
  readonly rule: string;
  readonly scope: Scope;
  /** Empty when a recording is played. */
  readonly events: readonly GivenEvent[];
  /** Processes that the file defines. */
  readonly cast: Cast;
  /** Path of a recording, relative to the file. */
  readonly recording: string | undefined;
  readonly expect: Expected;
}

/** A fault of a test file. */
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

/** Keys of test files; the JSON Schema describes each of them. */
export const TEST_KEYS = {
  group: ['rule', 'rules', 'tests'],
  test: ['test', 'rule', 'rules', 'events', 'recording', 'expect'],
  expect: ['alerts', 'priority', 'output', 'rules', 'tactics', 'from'],
} as const;

const MAX_LENGTH = 2_097_152;
const LABELS: Readonly<Record<string, string>> = { all: 'all rules', recommended: 'recommended rules' };
const NOTHING_EXPECTED: Expected = {
  alerts: undefined,
  priority: undefined,
  output: undefined,
  rules: undefined,
  tactics: undefined,
  from: undefined,
};

type Mapping = YAMLMap<Node, Node | null>;
type About = Pick<RuleTest, 'rule' | 'scope'>;

/** Reads a test file. A test with faults is left out. */
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
  readonly #cast = new Map<string, GivenProcess>();

  constructor(file: string) {
    this.#file = file;
  }

  report({ at, message }: Misplaced): void {
    this.faults.push({ file: this.#file, ...positionIn(this.#lines, at), message });
  }

  read(text: string): RuleTest[] {
    if (text.length > MAX_LENGTH)
      throw new Misplaced(0, `the file has ${text.length} characters; ${MAX_LENGTH} are allowed`);
    const root = parseYaml(text, this.#lines);
    if (!isSeq<Node>(root)) return this.#group(root);
    const isProcess = (node: Node): node is Mapping => isMap(node) && node.has('process');
    for (const node of root.items.filter(isProcess)) this.#attempt(() => this.#process(node));
    return root.items
      .filter((node) => !isProcess(node))
      .flatMap((node) => this.#attempt(() => this.#group(node)).flat());
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

  /** A process may only name processes that are defined before it, so that no two start each other. */
  #process(node: Mapping): void {
    const name = this.#text(node, 'process') ?? '';
    if (this.#cast.has(name)) throw new Misplaced(routeOf(node), `the process '${name}' is defined twice`);
    const process = readWrittenProcess(node, (key) => key === 'process');
    const fault = new KnownNames(this.#cast).checkLine(process.parent);
    if (fault !== undefined) throw new Misplaced(routeOf(node), fault);
    if (process.exec === undefined && process.parent === undefined)
      throw new Misplaced(routeOf(node), "a process needs 'exec', the command line that it executes, or a 'parent'");
    this.#cast.set(name, process);
  }

  #group(node: Node | null): RuleTest[] {
    const group = this.#map(node, 'rule: … and tests: […]', TEST_KEYS.group);
    const tests = group.get('tests', true) as Node | undefined;
    if (!isSeq<Node>(tests)) throw new Misplaced(routeOf(tests ?? group), "expected 'tests: [ … ]'");
    const about = this.#about(group);
    return tests.items.flatMap((test) => this.#attempt(() => this.#test(test, about)));
  }

  #about(map: Mapping): About | undefined {
    const rule = this.#text(map, 'rule');
    const rules = this.#text(map, 'rules');
    if (rules === undefined) return rule === undefined ? undefined : { rule, scope: 'rule' };
    if (rule !== undefined || !(rules === 'all' || rules === 'recommended'))
      throw new Misplaced(routeOf(map), "'rules' is all or recommended, and stands instead of 'rule'");
    return { rule: LABELS[rules] ?? rules, scope: rules };
  }

  #test(node: Node, aboutGroup: About | undefined): RuleTest {
    const test = this.#map(node, 'test: …, events: […], expect: alert', TEST_KEYS.test);
    const at = routeOf(test);
    const about = this.#about(test) ?? aboutGroup;
    if (about === undefined) throw new Misplaced(at, "a test needs 'rule', its own or of the file");
    const recording = this.#text(test, 'recording');
    const events = test.get('events', true) as Node | undefined;
    if ((recording === undefined) === (events === undefined))
      throw new Misplaced(at, "a test has either 'events' or 'recording'");
    return {
      file: this.#file,
      line: positionIn(this.#lines, at).line,
      title: this.#text(test, 'test') ?? '',
      ...about,
      recording,
      events: this.#events(events),
      cast: this.#cast,
      expect: this.#expect(test.get('expect', true) as Node | undefined, at, about.scope),
    };
  }

  #events(node: Node | undefined): GivenEvent[] {
    const list = node === undefined ? [] : isSeq<Node>(node) ? node.items : [node];
    const names = new KnownNames(this.#cast);
    return list.map((item) => {
      const event = readWritten(item);
      const fault = names.check(event);
      if (fault !== undefined) throw new Misplaced(routeOf(item), fault);
      return event;
    });
  }

  #expect(node: Node | undefined, at: number, scope: Scope): Expected {
    if (isMap(node)) return this.#expectedValues(node, scope);
    const word = isScalar(node) ? String(node.value) : '';
    if (word === 'alert') return NOTHING_EXPECTED;
    if (word === 'none') return { ...NOTHING_EXPECTED, alerts: 0 };
    if (/^\d+$/.test(word)) return { ...NOTHING_EXPECTED, alerts: this.#count(word, routeOf(node)) };
    throw new Misplaced(
      node === undefined ? at : routeOf(node),
      "'expect' is alert, none, a number of alerts, or { alerts, priority, output }",
    );
  }

  #expectedValues(node: Node, scope: Scope): Expected {
    const map = this.#map(node, 'alerts: 2', TEST_KEYS.expect);
    const alerts = this.#text(map, 'alerts');
    const [rules, tactics] = [this.#texts(map, 'rules'), this.#texts(map, 'tactics')];
    const from = this.#text(map, 'from');
    if (scope === 'rule' && (rules ?? tactics ?? from) !== undefined)
      throw new Misplaced(routeOf(map), "'rules', 'tactics' and 'from' are for tests of all or of recommended rules");
    if (from !== undefined && !(PRIORITIES as readonly string[]).includes(from))
      throw new Misplaced(routeOf(map), `'from' is a priority: ${PRIORITIES.join(', ')}`);
    return {
      alerts: alerts === undefined ? undefined : this.#count(alerts, routeOf(map)),
      priority: this.#text(map, 'priority'),
      output: this.#text(map, 'output'),
      rules,
      tactics,
      from,
    };
  }

  #count(text: string, at: number): number {
    if (/^\d{1,6}$/.test(text)) return Number(text);
    throw new Misplaced(at, `'alerts' is a number, not '${text}'`);
  }

  #map(node: Node | null | undefined, example: string, keys: readonly string[]): Mapping {
    if (!isMap<Node, Node | null>(node)) throw new Misplaced(routeOf(node), `expected ${example}`);
    for (const { key } of node.items) {
      const name = String(key);
      if (keys.includes(name)) continue;
      const hint = didYouMean(name, keys, `Keys: ${keys.join(', ')}.`);
      throw new Misplaced(routeOf(key), `unknown key '${name}'. ${hint}`);
    }
    return node;
  }

  #text(map: Mapping, key: string): string | undefined {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined) return undefined;
    if (isScalar(node)) return String(node.value);
    throw new Misplaced(routeOf(node), `'${key}' must be text`);
  }

  #texts(map: Mapping, key: string): string[] | undefined {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined) return undefined;
    if (isSeq<Node>(node) && node.items.every((item) => isScalar(item))) return node.items.map((item) => String(item));
    throw new Misplaced(routeOf(node), `'${key}' is a list of texts`);
  }
}
