import { type CheckedSchema, type FileProblem, readCheckedFiles } from '@ringfence/checked-yaml';
import { tacticsOf } from '@ringfence/rules/attack';
import { Priorities, type Priority, U64_ZERO } from '@ringfence/wire';
import { z } from 'zod';
import { name } from '../policy/policy.ts';
import { type Candidate, runsOf } from '../steps/start-runs.ts';
import { STEP_OUTCOMES } from './condition.ts';
import { BUILTIN_PLAYBOOKS } from './load.ts';
import { play } from './play.ts';
import type { Playbook } from './playbook.ts';
import type { RunEnd } from './run.ts';
import { VALUE_NAMES } from './values.ts';

const TESTS_MAX = 200;

/** An alert or, with `incident`, an incident, as far as playbooks look at it */
interface Given {
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly action: 'alert' | 'kill';
  readonly host: string;
  readonly cgroup: string;
  readonly image: string;
  readonly executable: string;
  readonly incident?: { readonly severity: Priority; readonly stages: number } | undefined;
  /** Values of the event, by field */
  readonly values: Readonly<Record<string, string>>;
}

interface TestCase {
  readonly test: string;
  readonly given: Given;
  /** Outcomes of steps by their names, or of undos as `undo NAME`; the others are executed. */
  readonly results: Readonly<Record<string, string>>;
  /** Whether approvals are given */
  readonly approved: boolean;
  /** Names of the steps that are taken */
  readonly expect: 'none' | readonly string[];
  readonly end?: RunEnd | undefined;
}

/** A test file: given an alert or an incident, and results of steps, the steps that are taken. */
export interface PlaybookTests {
  readonly playbook: string;
  readonly tests: readonly TestCase[];
}

const given: z.ZodType<Given> = z.strictObject({
  rule: name.default('A rule'),
  priority: z.enum(Priorities).default('critical'),
  tactics: z.array(name).max(20).default([]),
  action: z.enum(['alert', 'kill']).default('alert'),
  host: name.default('host-1'),
  cgroup: z.string().max(4096).default('/user.slice'),
  image: z.string().max(1024).default(''),
  executable: z.string().max(4096).default('/usr/bin/program'),
  incident: z.strictObject({ severity: z.enum(Priorities), stages: z.int().min(1).max(100) }).optional(),
  values: z
    .record(z.string(), z.string().max(4096))
    .refine((values) => Object.keys(values).every((key) => VALUE_NAMES.includes(key)), {
      message: `expected values of ${VALUE_NAMES.join(', ')}`,
    })
    .default({}),
});

const testCase: z.ZodType<TestCase> = z.strictObject({
  test: z.string().min(1).max(256),
  given: given.prefault({}),
  results: z.record(z.string().max(64), z.enum(['observed', ...STEP_OUTCOMES])).default({}),
  approved: z.boolean().default(true),
  expect: z.union([z.literal('none'), z.array(z.string().max(64)).max(64)]),
  end: z.enum(['completed', 'stopped', 'undone', 'undo-failed']).optional(),
});

export const playbookTestSchema: z.ZodType<PlaybookTests> = z.strictObject({
  playbook: name,
  tests: z.array(testCase).min(1).max(TESTS_MAX),
});

export interface PlaybookTestResult {
  readonly playbook: string;
  readonly test: string;
  readonly expected: string;
  readonly actual: string;
  readonly passed: boolean;
}

export interface PlaybookTestRun {
  readonly results: readonly PlaybookTestResult[];
  readonly problems: readonly FileProblem[];
}

const TESTS: CheckedSchema<PlaybookTests> = {
  noun: 'test file',
  schema: playbookTestSchema,
  nameOf: ({ playbook }) => playbook,
  builtin: BUILTIN_PLAYBOOKS,
  isItem: (file) => /\.test\.ya?ml$/.test(file),
};

/** Runs the tests of these files and directories. */
export function runPlaybookTests(paths: readonly string[], playbooks: readonly Playbook[]): PlaybookTestRun {
  const { items, problems } = readCheckedFiles(paths, TESTS);
  return { results: items.flatMap((file) => resultsOf(file, playbooks)), problems };
}

function resultsOf({ playbook: wanted, tests }: PlaybookTests, playbooks: readonly Playbook[]): PlaybookTestResult[] {
  const playbook = playbooks.find(({ playbook: known }) => known === wanted);
  return tests.map((each) => {
    const expected = textOf(each.expect === 'none' ? [] : each.expect, each.end ?? '');
    const actual = playbook === undefined ? 'there is no such playbook' : playedText(each, playbook);
    return { playbook: wanted, test: each.test, expected, actual, passed: actual === expected };
  });
}

function playedText({ given: facts, results, approved, end }: TestCase, playbook: Playbook): string {
  const [run] = runsOf([playbook], candidateOf(facts));
  if (run === undefined) return textOf([], '');
  // Approvals count where the playbook enforces.
  const played = play({ ...run.begun, mode: 'enforce' }, facts.host, { results, approves: approved });
  const names = played.steps.map(({ name: step }) => step);
  return textOf(names, end === undefined ? '' : played.end);
}

const textOf = (names: readonly string[], end: string): string =>
  `${names.length === 0 ? 'none' : names.join(', ')}${end === '' ? '' : ` (${end})`}`;

function candidateOf(facts: TestCase['given']): Candidate {
  const { rule, priority, tactics, action, host, cgroup, image, executable, incident, values } = facts;
  const summary = incident === undefined ? null : { id: 'inc-1', ...incident };
  return {
    ...{ cause: summary === null ? 'alert-1' : 'inc-1', incident: 'inc-1', summary, fields: values },
    target: {
      ...{ alertId: 'alert-1', rule, priority, tactics: tactics.flatMap(tacticsOf), hostId: host, image },
      ...{ action: summary === null ? action : null, timestamp: 0, bootId: 'boot-1', entityId: 'process-1' },
      ...{ pid: 4711, start: U64_ZERO, executable, cgroupPath: cgroup },
    },
  };
}
