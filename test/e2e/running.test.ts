import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ended, Installation, MAIN, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';

function assertFails({ code, stderr }: Ended, message: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /\n {4}at /, 'the error must not have a stack trace');
}

const rule = (name: string, mark: string): string => `- rule: ${name}
  desc: Every execution whose arguments have a mark of this test.
  condition: event.action = exec and process.command_line contains ${mark}
  output: "%process.command_line"
  priority: notice
  tags: [execution]
`;

describe('a running ringfence', { skip }, () => {
  let home: Installation;
  let up: Running;
  let rules: string;
  before(async () => {
    home = new Installation();
    rules = join(home.dir, 'rules');
    mkdirSync(rules);
    writeFileSync(join(rules, 'one.yaml'), rule('First', 'rf-first-'));
    writeFileSync(join(rules, 'two.yaml'), rule('Second', 'rf-second-'));
    home.settings.push(`detector.rules=${rules}`);
    up = await home.up();
  });
  after(() => home?.[Symbol.asyncDispose]());

  test('an error in a condition is marked with a caret', async () => {
    for (const list of ['events', 'alerts', 'incidents']) {
      const ended = await home.run([list, '--where', 'priority = = 3']);
      assertFails(ended, /--where:1:\d+/);
      assert.match(ended.stderr, /priority = = 3\n\s*\|?\s+\^/);
    }
    assertFails(await home.run(['events', '--where', 'proces.name = sh']), /did you mean .*process\.name/i);
  });

  test('with --json every command prints only JSON on stdout', async () => {
    spawnSync('/bin/true', ['rf-first-json']);
    await up.says('rf-first-json');
    for (const args of [['status'], ['doctor']]) assert.ok(JSON.parse((await home.run([...args, '--json'])).stdout));
    for (const list of ['events', 'alerts', 'incidents']) {
      const lines = (await home.output([list, '--json'])).split('\n').filter(Boolean);
      for (const line of lines) assert.equal(typeof JSON.parse(line), 'object');
      assert.ok(lines.length > 0 || list === 'incidents', list);
    }
    const where = ['--where', 'rule = First and process.executable endswith true', '--json'];
    const [alert = ''] = (await home.output(['alerts', ...where])).split('\n');
    assert.equal((JSON.parse(alert) as { output: string }).output, '/bin/true rf-first-json');
    assertFails(await home.run(['incident', 'show', 'inc-0', '--json']), /there is no incident inc-0/);
  });

  test('--follow prints new alerts until Ctrl-C, which is no error', async () => {
    await using follow = home.start(['alerts', '--follow', '--json', '--limit', '0', '--where', 'rule = Second']);
    // The command connects shortly after its start, so the execution is repeated until it appears.
    for (let n = 0; !follow.stdout.includes('rf-second-follow') && n < 100; n++) {
      spawnSync('/bin/sh', ['-c', '/bin/true rf-second-follow; sleep 0.1']);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await follow.says('rf-second-follow');
    const { code, stderr } = await follow.stop('SIGINT');
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  test('without a terminal output has no escape sequences, and a list ends without an error when its reader closes the pipe', () => {
    assert.ok(!up.stdout.includes('\u001b'));
    const settings = home.settings.flatMap((text) => ['--set', text]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
    const script = '"$@" | head -1; exit ${PIPESTATUS[0]}';
    const args = [process.execPath, '--conditions=@ringfence/source', MAIN, 'events', '--limit', '10000', ...settings];
    const { status, stderr, stdout } = spawnSync('bash', ['-c', script, 'bash', ...args], { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.equal(stdout.split('\n').length, 2);
  });

  test('a second ringfence with the same state or pins is refused with the pid of the first', async () => {
    assertFails(await home.run(['up']), new RegExp(`${up.pid}`));
    await using second = new Installation();
    second.settings.push(`sensor.pinPath=${home.pinPath}`);
    assertFails(await second.run(['up']), new RegExp(`${home.pinPath} is in use by process ${up.pid}`));
    spawnSync('/bin/true', ['rf-first-still']);
    await up.says('rf-first-still');
  });

  test('a broken rule file is reported with its line; its old version and the other files stay active', async () => {
    writeFileSync(join(rules, 'one.yaml'), rule('First', 'rf-first- and and').replace('First', 'Broken'));
    await up.says('one.yaml:3:');
    assert.match(up.stderr, /\^/);
    spawnSync('/bin/true', ['rf-first-kept']);
    spawnSync('/bin/true', ['rf-second-kept']);
    await up.says('First /bin/true rf-first-kept');
    await up.says('Second /bin/true rf-second-kept');
    writeFileSync(join(rules, 'one.yaml'), rule('Mended', 'rf-mended-'));
    for (let n = 0; !up.stdout.includes('rf-mended-now') && n < 100; n++) {
      spawnSync('/bin/sh', ['-c', '/bin/true rf-mended-now; sleep 0.1']);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await up.says('Mended /bin/true rf-mended-now');
  });

  test('SIGTERM stops it cleanly', async () => {
    const { code, stdout } = await up.stop('SIGTERM');
    assert.equal(code, 0);
    assert.match(stdout, /stopping after the current batches/);
    home.assertClean();
  });
});
