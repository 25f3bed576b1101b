import { OperatorError, paintFor } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { rulePaths } from '@ringfence/config';
import { RuleWatch } from '@ringfence/detector';
import { readSources, readTestSources, rulesBeside, runTests, type TestRun } from '@ringfence/rule-lab';
import type { RuleSource } from '@ringfence/rules';
import { explain, untilInterrupted } from '@ringfence/runtime/process';
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
      events: { exec: /bin/sh -c id, parent: [systemd, /usr/sbin/nginx] }
      expect: alert
    - test: a user starts a shell
      events: { event.action: exec, process.name: sh, process.parent.name: sshd }
      expect: none

Events are written by field names (docs/FIELDS.md) or command lines (docs/RULES.md#tests). A test may play a recording
instead: recording: attack.rec.

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
  const tests = await readTestSources(files.length > 0 ? files : rulePaths(config));
  if (tests.length === 0 && files.length > 0)
    throw new OperatorError(`no .test.yaml in ${files.join(', ')}: ringfence rules new makes a rule with its test`);
  const { sources } = await readSources(await rulesBeside(tests), config);
  using progress = progressOn(process.stderr, 'tests');
  return { run: await runTests(tests, sources, progress.tell), tests };
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
