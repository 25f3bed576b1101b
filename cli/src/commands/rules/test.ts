import type { Config } from '@ringfence/config';
import { RuleWatch } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';
import type { Command } from 'commander';
import { rulePaths } from '../../app/rule-paths.ts';
import { CliError } from '../../errors.ts';
import { explain } from '../../explain.ts';
import { readSources, shortName } from '../../rules/sources.ts';
import { runTests, type TestRun } from '../../rules/test.ts';
import { readTestSources, rulesBeside } from '../../rules/test-sources.ts';
import { paintFor } from '../../view/paint.ts';
import { progressOn } from '../../view/progress.ts';
import { testRunText } from '../../view/rule-tests.ts';
import { print, printJson, settingsOf, untilInterrupted, withSettings } from '../context.ts';

interface TestOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly watch?: boolean;
}

export function addTest(rules: Command): void {
  const command = rules
    .command('test')
    .argument(
      '[files...]',
      'tables of tests (.test.yaml), or folders of them and of rules (default: the configured ones)',
    )
    .description('run tables of tests: written or recorded events, and what rules must make of them')
    .option('-w, --watch', 'run again whenever a file changes')
    .option('-q, --quiet', 'show only tests that fail')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
A table of tests lies beside its rules and ends in .test.yaml:

  rule: Shell of a web server
  tests:
    - test: nginx starts a shell
      events:
        - { event.action: exec, process.name: sh, process.parent.name: nginx }
      expect: alert
    - test: somebody logs in
      events:
        - { event.action: exec, process.name: sh, process.parent.name: sshd }
      expect: none

Events are written by field names (docs/FIELDS.md). A test may play a recording instead: recording: attack.rec.

Exit codes: 0 all tests passed, 1 a test or a test file failed, 2 there is no test file.

Examples:
  ringfence rules test my-rules/
  ringfence rules test my-rules/web.test.yaml --watch`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const options = self.opts<TestOptions>();
    const config = settingsOf(self);
    const once = async (): Promise<void> => {
      const { run, tests } = await testOnce(files, config);
      const failed = run.faults.length > 0 || run.results.some(({ failures }) => failures.length > 0);
      process.exitCode = failed ? 1 : 0;
      if (options.json) printJson(run, 2);
      else print(testRunText(run, tests, options.quiet ?? false, paintFor(process.stdout)));
    };
    await once();
    if (options.watch) await watchFiles(files.length > 0 ? files : rulePaths(config), once);
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
  return { run: await runTests(tests, sources, progress.tell), tests };
}

function noTests(paths: readonly string[]): CliError {
  const searched =
    paths.length > 0 ? paths.map((path) => shortName(path)).join(', ') : 'the settings (detector.rules is empty)';
  const message =
    `there is no test file in ${searched}. A test file is named NAME.test.yaml and lies beside the rules or below their folder; ` +
    `"ringfence rules new NAME --dir FOLDER" writes a rule with its test, "ringfence rules test --help" shows one`;
  return new CliError(message, { code: 'ERR_USAGE' });
}

async function watchFiles(paths: readonly string[], again: () => Promise<void>): Promise<void> {
  const signal = untilInterrupted();
  let running = Promise.resolve();
  const told = (error: unknown): void => print(explain(error));
  using _ = new RuleWatch(
    paths,
    () => {
      running = running.then(again).catch(told);
    },
    told,
  );
  process.stderr.write('watching; Ctrl-C ends\n');
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await running;
}
