import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { elasticsearchMissing, sharedElasticsearch } from '@ringfence/dev-servers';
import { KINDS } from '../../src/kinds/index.ts';
import { until } from '../support.ts';
import { FAR_SIDES } from './far-sides.ts';
import { blocksOfPage, nameOf, sinksOf, withLines, withSecretsIn } from './page.ts';

const MAIN = join(import.meta.dirname, '../../../../cli/src/main.ts');
const blocks = blocksOfPage();

/** Runs `ringfence sinks test NAME --file FILE`, as the page says. */
async function sendTest(name: string, file: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const settings = [`stateDir=${join(folder, 'state')}`, `runDir=${join(folder, 'run')}`];
  const args = [
    'sinks',
    'test',
    name,
    '--file',
    file,
    '--config',
    '/dev/null',
    ...settings.flatMap((set) => ['--set', set]),
  ];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', MAIN, ...args],
    { env: { ...process.env, ...env } },
  );
  return stdout;
}

suite('docs/SINKS.md', { concurrency: false }, () => {
  for (const { type } of KINDS) {
    const examples = blocks
      .filter(({ section, language }) => section === type && language === 'yaml')
      .flatMap(({ text }) => sinksOf(text).map((sink, index) => ({ sink, index })));
    const { missing = () => undefined, start } = FAR_SIDES[type]!;
    test(`has an example of ${type}`, () => {
      assert.ok(examples.length > 0);
    });
    for (const { sink, index } of examples)
      test(`the sink ${nameOf(sink)} of ${type} sends what ringfence sinks test sends`, {
        skip: missing() ?? false,
        timeout: 300_000,
      }, async () => {
        await using stack = new AsyncDisposableStack();
        const folder = stack.adopt(mkdtempSync(join(tmpdir(), 'rf-page-')), (path) =>
          rmSync(path, { recursive: true }),
        );
        mkdirSync(join(folder, 'state'), { mode: 0o700 });
        const far = await start({ stack, folder, index });
        const { text, names } = withSecretsIn(withLines(sink, far.lines), folder);
        const secret = (name: string): string => far.secrets?.[name] ?? 'the-secret';
        for (const name of names) writeFileSync(join(folder, name), secret(name), { mode: 0o600 });
        const file = join(folder, 'sink.yaml');
        writeFileSync(file, text, { mode: 0o600 });
        const env = Object.fromEntries(names.map((name) => [name, secret(name)]));
        assert.match(await sendTest(nameOf(sink), file, folder, env), /has confirmed the test/);
        await until(far.arrived, `the test in ${type}`);
      });
  }

  test('the template of elasticsearch is installed', { skip: elasticsearchMissing() ?? false }, async () => {
    const [request = ''] = blocks.flatMap(({ section, text }) => (section === 'elasticsearch' ? [text] : []));
    const [, method, path, body = ''] = /^(PUT) (\S+)\n(.*)$/s.exec(request) ?? [];
    assert.equal(method, 'PUT');
    const { url } = await sharedElasticsearch();
    const own = body.replace('logs-ringfence.*-*', `logs-sinkpage${process.pid}-*`);
    assert.notEqual(own, body);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/${path}${process.pid}`, { method: 'PUT', headers, body: own });
    assert.equal(response.status, 200, await response.text());
  });

  const others = blocks.filter(({ language }) => language !== 'yaml');
  for (const { section, language, notTried } of others)
    if (notTried !== undefined) test(`the ${language || 'text'} of ${section}`, { skip: notTried }, () => {});

  test('has no other block that no test runs', () => {
    const tried = others.filter(({ notTried }) => notTried === undefined);
    assert.deepEqual(
      tried.map(({ section, language }) => `${section} ${language}`),
      // The first is run by test/e2e/sinks.test.ts, the last by the sink of kafka.
      ['Start sh', 'elasticsearch json', 'kafka sh'],
    );
  });
});
