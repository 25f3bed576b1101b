import { dirname, resolve } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { type CompiledRule, PRIORITIES, type RuleSource } from '@ringfence/rules';
import { type EventView, openRecording, SchemaError } from '@ringfence/wire';
import { Judge } from './events/judge.ts';
import type { Interest, JudgedEvent, Judgement, RaisedAlert } from './events/trial.ts';
import { whyNoRule } from './no-rule.ts';
import { type RuleTest, readTestFile, type TestFault } from './test-file.ts';

export interface TestResult {
  readonly test: RuleTest;
  /** Differences between what was expected and what came; empty when the test passed. */
  readonly failures: readonly TestFailure[];
  /** Alerts of the rules that the test is about. */
  readonly alerts: readonly RaisedAlert[];
  /** Of a test that failed: the event that came nearest to the expectation, and how the rule saw it. */
  readonly nearest: JudgedEvent | undefined;
  /** Fields that were set on events because no call gives them. */
  readonly laid: readonly string[];
  readonly milliseconds: number;
}

export interface TestFailure {
  readonly of: string;
  readonly expected: string;
  readonly actual: string;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  readonly faults: readonly TestFault[];
}

/** Called after each test. */
export type TellProgress = (done: number, of: number) => void;

/** Runs test files by rules. Every test starts from empty memory. */
export async function runTests(
  files: readonly RuleSource[],
  rules: readonly RuleSource[],
  progress: TellProgress = () => {},
): Promise<TestRun> {
  const read = files.map(({ name, text }) => readTestFile(name, text));
  const tests = read.flatMap((file) => file.tests);
  const judge = new Judge(rules);
  const results: TestResult[] = [];
  for (const test of tests) {
    results.push(await runTest(test, judge));
    progress(results.length, tests.length);
  }
  return { results, faults: read.flatMap(({ faults }) => faults) };
}

/** Runs one test. @param foundAtStart every program was running when the agent started */
export async function runTest(test: RuleTest, judge: Judge, foundAtStart = false): Promise<TestResult> {
  const started = performance.now();
  const done = (rest: Partial<TestResult>): TestResult => ({
    test,
    failures: [],
    alerts: [],
    nearest: undefined,
    laid: [],
    ...rest,
    milliseconds: performance.now() - started,
  });
  const about = test.scope === 'rule' ? judge.rule(test.rule) : undefined;
  if (test.scope === 'rule' && about === undefined) {
    const failure = { of: 'rule', expected: test.rule, actual: whyNoRule(judge.rules, test.rule) };
    return done({ failures: [failure] });
  }
  const interest: Interest = { about, keep: () => false, foundAtStart };
  const judged =
    test.recording === undefined
      ? judge.judge(test.events, interest, test.cast)
      : await playRecording(test, judge, interest);
  if ('expected' in judged) return done({ failures: [judged] });
  const rules = new Map(judge.rules.rules.map((rule) => [rule.name, rule]));
  const alerts = judged.alerts.filter((alert) => isAbout(test, alert, rules));
  const failures = failuresOf(test, alerts, rules);
  const nearest = failures.length === 0 ? undefined : judged.nearest;
  return done({ failures, alerts, nearest, laid: judged.laid });
}

type Rules = ReadonlyMap<string, CompiledRule<EventView>>;

function isAbout({ scope, rule, expect }: RuleTest, alert: RaisedAlert, rules: Rules): boolean {
  if (scope === 'rule') return alert.rule === rule;
  if (scope === 'recommended' && rules.get(alert.rule)?.profile !== 'recommended') return false;
  return expect.from === undefined || rank(alert.priority) >= rank(expect.from);
}

const rank = (priority: string): number => (PRIORITIES as readonly string[]).indexOf(priority);

async function playRecording(test: RuleTest, judge: Judge, interest: Interest): Promise<Judgement | TestFailure> {
  const { file, recording: expected = '' } = test;
  try {
    await using recording = await openRecording(resolve(dirname(file), expected));
    return await judge.judgeRecording(recording.records(), recording.enrolled, interest);
  } catch (error) {
    // A recording that cannot be played fails its own test, not the others.
    if (!(error instanceof OperatorError) && !(error instanceof SchemaError)) throw error;
    return { of: 'recording', expected, actual: error.message };
  }
}

function failuresOf({ expect }: RuleTest, alerts: readonly RaisedAlert[], rules: Rules): TestFailure[] {
  const failures: TestFailure[] = [];
  const compare = (of: string, expected: string, actual: string): void => {
    if (expected !== actual) failures.push({ of, expected, actual });
  };
  const names = [...new Set(alerts.map(({ rule }) => rule))];
  const tactics = new Set(names.flatMap((name) => rules.get(name)?.tactics ?? []));
  if (expect.rules !== undefined) compare('rules', listed(expect.rules), listed(names));
  if (expect.tactics !== undefined) compare('tactics', listed(expect.tactics), listed([...tactics]));
  if (expect.alerts !== undefined) compare('alerts', counted(expect.alerts), counted(alerts.length));
  else if (expect.rules === undefined && expect.tactics === undefined && alerts.length === 0)
    failures.push({ of: 'alerts', expected: 'one or more', actual: 'none' });
  const [first] = alerts;
  if (first === undefined) return failures;
  if (expect.priority !== undefined) compare('priority', expect.priority, first.priority);
  if (expect.output !== undefined) compare('output', expect.output, first.output);
  return failures;
}

const counted = (count: number): string => (count === 0 ? 'none' : String(count));
const listed = (names: readonly string[]): string => [...names].sort().join(', ') || 'none';
