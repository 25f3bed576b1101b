import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { promisify } from 'node:util';

const MAIN = join(import.meta.dirname, '../src/main.ts');
const rule = (name: string): string => `- rule: r\n  condition: event.action = exec and process.name = ${name}\n`;
const TABLE = `rule: r
tests:
  - test: t
    events: { event.action: exec, process.name: sh }
    expect: alert
`;

/** What a child has written to one stream, and the next time that it has written `text` once more. */
class Written {
  #text = '';
  #from = 0;
  readonly #child: ChildProcess;
  readonly #stream: Readable;

  constructor(child: ChildProcess, stream: Readable) {
    this.#child = child;
    this.#stream = stream.setEncoding('utf8').on('data', (data: string) => {
      this.#text += data;
    });
  }

  async until(text: string): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    while (!this.#text.includes(text, this.#from)) {
      assert.equal(this.#child.exitCode, null, this.#text);
      await Promise.race([once(this.#stream, 'data', { signal }), once(this.#child, 'exit', { signal })]);
    }
    this.#from = this.#text.indexOf(text, this.#from) + text.length;
  }
}

test('rules test --watch tests again when a rule or a test changes, whatever is wrong with it meanwhile, and ends at Ctrl-C', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-watch-'));
  const rules = join(dir, 'r.yaml');
  writeFileSync(rules, rule('sh'));
  writeFileSync(join(dir, 'r.test.yaml'), TABLE);
  const child = spawn(
    process.execPath,
    ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', MAIN, 'rules', 'test', dir, '--watch'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  try {
    const written = new Written(child, child.stdout);
    await new Written(child, child.stderr).until('watching');
    await written.until('1 test passed, 0 failed');
    writeFileSync(rules, rule('zsh'));
    await written.until('0 tests passed, 1 failed');
    writeFileSync(rules, '- rule: [\n');
    await written.until('1 failed');
    writeFileSync(rules, rule('sh'));
    await written.until('1 test passed, 0 failed');
    writeFileSync(join(dir, 'r.test.yaml'), TABLE.replace('expect: alert', 'expect: none'));
    await written.until('0 tests passed, 1 failed');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [1, null]);
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
});

test('rules test without a file takes the configured folders; where no test file is, it ends with 2 and says how one is made', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
  const node = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', MAIN];
  const testRules = async (...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> => {
    const command = [...node, 'rules', 'test', ...args, '--config', '/dev/null'];
    return await promisify(execFile)(process.execPath, command).then(
      ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
      ({ stdout, stderr, code }) => ({ stdout, stderr, code }),
    );
  };
  try {
    writeFileSync(join(dir, 'r.yaml'), rule('sh'));
    const configured = ['--set', `detector.rules=${dir}`];
    for (const args of [configured, [dir], [...configured, '--watch'], [join(dir, 'r.yaml')]]) {
      const { stdout, stderr, code } = await testRules(...args);
      assert.deepEqual({ stdout, code }, { stdout: '', code: 2 }, args.join(' '));
      assert.match(stderr, new RegExp(`^ringfence: there is no test file in ${dir}`));
      assert.match(stderr, /is named NAME\.test\.yaml.*rules new NAME --dir FOLDER.*rules test --help[^\n]*\n$/);
    }
    writeFileSync(join(dir, 'r.test.yaml'), TABLE);
    const { stdout, code } = await testRules(...configured);
    assert.match(stdout, /1 test passed, 0 failed/);
    assert.equal(code, 0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
