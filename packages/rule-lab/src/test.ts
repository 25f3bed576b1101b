import { dirname, resolve } from 'node:path';
import { OperatorError } from '@ringfence/base';
import type { RuleSource } from '@ringfence/rules';
import { openRecording, SchemaError } from '@ringfence/wire';
import { Judge, type JudgedEvent, type Judgement, type RaisedAlert } from './events/judge.ts';
import { whyNoRule } from './no-rule.ts';
import { type RuleTest, readTestFile, type TestFault } from './test-file.ts';

export interface TestResult {
  readonly test: RuleTest;
  /** what came otherwise than it was expected; empty: the test passed */
  readonly failures: readonly TestFailure[];
  /** alerts of the rule */
  readonly alerts: readonly RaisedAlert[];
  /** on failure: the event that came nearest to what was expected, and how the rule saw it */
  readonly nearest: JudgedEvent | undefined;
  readonly milliseconds: number;
}

/** Two texts of which the second should have been the first. */
export interface TestFailure {
  readonly of: string;
  readonly expected: string;
  readonly actual: string;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  readonly faults: readonly TestFault[];
}

const none = (): boolean => false;

export type TellProgress = (done: number, of: number) => void;

/** Runs tables of tests by rules. Every test starts from empty memory. */
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

async function runTest(test: RuleTest, judge: Judge): Promise<TestResult> {
  const started = performance.now();
  const rule = judge.rule(test.rule);
  const done = (rest: Omit<TestResult, 'test' | 'milliseconds'>): TestResult => ({
    test,
    ...rest,
    milliseconds: performance.now() - started,
  });
  if (rule === undefined) {
    const failure = { of: 'rule', expected: test.rule, actual: whyNoRule(judge.rules, test.rule) };
    return done({ failures: [failure], alerts: [], nearest: undefined });
  }
  const judged =
    test.recording === undefined
      ? judge.judge(test.events, { about: rule, keep: none })
      : await playRecording(test, judge, rule);
  if ('expected' in judged) return done({ failures: [judged], alerts: [], nearest: undefined });
  const alerts = judged.alerts.filter((alert) => alert.rule === test.rule);
  const failures = failuresOf(test, alerts);
  const nearest = failures.length === 0 ? undefined : judged.nearest;
  return done({ failures, alerts, nearest });
}

async function playRecording(
  test: RuleTest,
  judge: Judge,
  rule: NonNullable<ReturnType<Judge['rule']>>,
): Promise<Judgement | TestFailure> {
  const { file, recording: expected = '' } = test;
  try {
    await using recording = await openRecording(resolve(dirname(file), expected));
    return await judge.judgeRecording(recording.records(), recording.enrolled, { about: rule, keep: none });
  } catch (error) {
    // A recording that can't be played is this test's failure, not that of the others.
    if (!(error instanceof OperatorError) && !(error instanceof SchemaError)) throw error;
    return { of: 'recording', expected, actual: error.message };
  }
}

function failuresOf({ expect }: RuleTest, alerts: readonly RaisedAlert[]): TestFailure[] {
  const failures: TestFailure[] = [];
  const differs = (of: string, expected: string, actual: string): void => {
    if (expected !== actual) failures.push({ of, expected, actual });
  };
  const said = (count: number): string => (count === 0 ? 'none' : String(count));
  if (expect.alerts === undefined) {
    if (alerts.length === 0) failures.push({ of: 'alerts', expected: 'one or more', actual: 'none' });
  } else differs('alerts', said(expect.alerts), said(alerts.length));
  const [first] = alerts;
  if (first === undefined) return failures;
  if (expect.priority !== undefined) differs('priority', expect.priority, first.priority);
  if (expect.output !== undefined) differs('output', expect.output, first.output);
  return failures;
}
