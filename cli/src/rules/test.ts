import { OperatorError, paintFor } from '@ringfence/base';
import { type Config, rulePaths } from '@ringfence/config';
import { RuleWatch } from '@ringfence/detector';
import { readSources, readTestSources, rulesBeside, runTests, shortName, type TestRun } from '@ringfence/rule-lab';
import type { RuleSource } from '@ringfence/rules';
import { explainError, untilInterrupted } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { progressOn } from '../shared/progress.ts';
import { testRunText } from './test-view.ts';

interface TestOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly watch?: boolean;
}

export function addTest(rules: Command): void {
  const command = rules
    .command('test')
    .argument('[files...]', 'test files (.test.yaml) or folders (default: the folders of the configured rules)')
    .description('run rule tests: written or recorded events, and the alerts that a rule must raise for them')
    .option('-w, --watch', 'run again when a file changes')
    .option('-q, --quiet', 'show only failed tests')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
A test file is in the folder of its rules, and its name ends in .test.yaml:

  rule: Shell of a web server
  tests:
    - test: nginx starts a shell
      events: { exec: /bin/sh -c id, parent: [systemd, /usr/sbin/nginx] }
      expect: alert
    - test: a user starts a shell
      events: { event.action: exec, process.name: sh, process.parent.name: sshd }
      expect: none

Events are written by field names (docs/FIELDS.md) or command lines (docs/RULES.md#tests). A test may play a recording
instead: recording: attack.rec.

Exit codes: 0 all tests passed, 1 a test or a test file failed, 2 there is no test file.

Examples:
  ringfence rules test my-rules/
  ringfence rules test my-rules/web.test.yaml --watch`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const options = self.opts<TestOptions>();
    const config = settingsOf(self);
    const runOnce = async (): Promise<void> => {
      const { run, tests } = await testOnce(files, config);
      const failed = run.faults.length > 0 || run.results.some(({ failures }) => failures.length > 0);
      process.exitCode = failed ? 1 : 0;
      if (options.json) printJson(run, 2);
      else print(testRunText(run, tests, options.quiet ?? false, paintFor(process.stdout)));
    };
    await runOnce();
    if (options.watch) await watchFiles(files.length > 0 ? files : rulePaths(config), runOnce);
  });
}

async function testOnce(
  files: readonly string[],
  config: Config,
): Promise<{ readonly run: TestRun; readonly tests: readonly RuleSource[] }> {
  const paths = files.length > 0 ? files : rulePaths(config);
  const tests = await readTestSources(paths);
  if (tests.length === 0) throw noTests(paths);
  const { sources } = await readSources(await rulesBeside(tests), config);
  using progress = progressOn(process.stderr, 'tests');
  return { run: await runTests(tests, sources, progress.report), tests };
}

function noTests(paths: readonly string[]): OperatorError {
  const searched =
    paths.length > 0 ? paths.map((path) => shortName(path)).join(', ') : 'the settings (detector.rules is empty)';
  const message =
    `there is no test file in ${searched}. A test file is named NAME.test.yaml and lies beside the rules or below their folder; ` +
    `"ringfence rules new NAME --dir FOLDER" writes a rule with its test, "ringfence rules test --help" shows one`;
  return new OperatorError(message, { code: 'ERR_USAGE' });
}

async function watchFiles(paths: readonly string[], onChange: () => Promise<void>): Promise<void> {
  const signal = untilInterrupted();
  let running = Promise.resolve();
  const onError = (error: unknown): void => print(explainError(error));
  using _ = new RuleWatch(
    paths,
    () => {
      running = running.then(onChange).catch(onError);
    },
    onError,
  );
  process.stderr.write('watching for changes; press Ctrl-C to stop\n');
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await running;
}
