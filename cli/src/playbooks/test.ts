import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { type PlaybookTestRun, runPlaybookTests } from '@ringfence/responder';
import { escapeText } from '@ringfence/wire';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';
import { pathsOf, problemsText, readPlaybooks } from './sources.ts';

interface TestOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addTest(playbooks: Command): void {
  const command = playbooks
    .command('test')
    .argument(
      '[files...]',
      'files or folders with playbooks and their tests (default: the configured playbooks, else the built-in ones)',
    )
    .description('run the test tables of playbooks: a given alert or incident, and the steps that must follow')
    .option('-q, --quiet', 'show only failed tests')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
A test file is in the folder of its playbook, and its name ends in .test.yaml:

  playbook: miner
  tests:
    - test: a miner in a container is stopped, then killed
      given: { rule: Connection to a port of mining pools, cgroup: /docker/abc }
      expect: [suspend, collect, kill]
    - test: nothing more is done when it could not be stopped
      given: { rule: Connection to a port of mining pools, cgroup: /docker/abc }
      results: { suspend: refused }
      expect: [suspend]
      end: stopped
    - test: the host's own processes are left alone
      given: { rule: Connection to a port of mining pools, cgroup: /system.slice }
      expect: none

Each action is carried out and each approval given, unless the test says otherwise (results, approved).

Exit codes: 0 all tests passed, 1 a test or a file failed, 2 there is no test.

Examples:
  ringfence playbooks test my-playbooks/
  ringfence playbooks test my-playbooks/miner.yaml my-playbooks/miner.test.yaml`,
    );
  withSettings(command).action((files: string[], _, self: Command) => {
    const options = self.opts<TestOptions>();
    const config = settingsOf(self);
    const { playbooks: read, problems } = readPlaybooks(files, config);
    const run = runPlaybookTests(pathsOf(files, config), read);
    const all: PlaybookTestRun = { results: run.results, problems: [...problems, ...run.problems] };
    if (all.results.length === 0 && all.problems.length === 0) throw noTests();
    if (all.problems.length > 0 || all.results.some(({ passed }) => !passed)) process.exitCode = 1;
    if (options.json) return printJson(all, 2);
    print(testText(all, options.quiet ?? false, paintFor(process.stdout)));
  });
}

const noTests = (): OperatorError =>
  new OperatorError(
    'there is no test: it is a file NAME.test.yaml in the folder of its playbook; "ringfence playbooks test --help" shows one',
    { code: 'ERR_USAGE' },
  );

function testText({ results, problems }: PlaybookTestRun, quiet: boolean, paint: Paint): string {
  const shown = results.filter(({ passed }) => !quiet || !passed);
  const lines = shown.flatMap(({ playbook, test, passed, expected, actual }) => {
    const title = `${escapeText(playbook)} ${paint.dim('·')} ${escapeText(test)}`;
    if (passed) return [`${paint.green('✓')} ${title}`];
    return [
      `${paint.red('✗')} ${title}`,
      paint.green(`    - expected  ${escapeText(expected)}`),
      paint.red(`    + actual    ${escapeText(actual)}`),
    ];
  });
  const failed = results.filter(({ passed }) => !passed).length;
  const broken = problems.length === 0 ? '' : `, ${counted(problems.length, 'error')} in files`;
  const summary = `${counted(results.length - failed, 'test')} passed, ${failed} failed${broken}`;
  const colour = failed + problems.length > 0 ? 'red' : 'green';
  return [
    ...lines,
    ...(problems.length === 0 ? [] : [problemsText(problems)]),
    ...(lines.length + problems.length === 0 ? [] : ['']),
    paint[colour](summary),
  ].join('\n');
}
