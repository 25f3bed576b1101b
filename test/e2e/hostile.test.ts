import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EventView } from '@ringfence/wire';
import { Installation } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/** Asserts that the bytes are UTF-8 and have no control characters except newlines. */
function assertHarmless(bytes: Buffer, source: string): void {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
  const found = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.exec(text);
  assert.equal(
    found,
    null,
    `${source} has ${JSON.stringify(found?.[0])} in ${JSON.stringify(text.slice((found?.index ?? 0) - 60).slice(0, 120))}`,
  );
}

const RULE = `- rule: Marked
  desc: Every execution whose arguments have the mark of this test.
  condition: event.action = exec and process.command_line contains rf-hostile
  output: "%process.command_line in %process.executable, %process.args"
  priority: notice
  tags: [execution]
`;

describe('hostile programs on the running kernel', { skip }, () => {
  const executions = new Map<string, { bytes: number; trueLength: number }>();

  test('their escape sequences never reach a terminal, and truncated arguments have their true length', async (t) => {
    await using home = new Installation();
    const rules = join(home.dir, 'rules');
    mkdirSync(rules);
    writeFileSync(join(rules, 'marked.yaml'), RULE);
    home.settings.push(`detector.rules=${rules}`);
    await using up = await home.up();

    spawnSync('/bin/true', ['rf-hostile-escape', '\u001b[31mred\u001b]0;title\u0007', 'two\nlines\r\u009b1m\u202e']);
    spawnSync('/bin/sh', ['-c', 'exec /bin/true rf-hostile-bytes "$(printf \'\\377\\376\\033[2J\\200\')"']);
    // The kernel limits one argument to 128 KiB.
    spawnSync('/bin/true', ['rf-hostile-long', ...Array.from({ length: 16 }, () => 'a'.repeat(65_536)), 'the-end']);
    longPath(home.dir);
    for (const mark of ['escape', 'bytes', 'long']) await up.says(`Marked /bin/true rf-hostile-${mark}`);
    await up.says(`Marked ${home.dir}/\\x1b[5mddd`);

    await t.test('every list of past records is harmless, as text and as JSON', async () => {
      for (const args of [
        ['alerts'],
        ['events'],
        ['events', '--where', 'process.command_line contains rf-hostile'],
        ['incidents'],
      ]) {
        for (const json of [[], ['--json']]) {
          const list = home.start([...args, ...json]);
          assert.equal((await list.ended).code, 0, list.stderr);
          assertHarmless(list.stdoutBytes, `${args.join(' ')} ${json.join('')}`);
        }
      }
    });

    await t.test('truncated arguments keep head, tail and true length', async () => {
      await until('the executions in the trail', () => {
        using audit = home.audit();
        const view = new EventView();
        for (const { payload } of audit.search('hostile*').filter(({ kind }) => kind === 'execution')) {
          view.open(payload);
          view.next();
          const raw = view.process?.raw;
          const mark = /rf-hostile-(\w+)/.exec(view.process?.args.join(' ') ?? '')?.[1];
          if (raw !== undefined && mark !== undefined)
            executions.set(mark, { bytes: raw.args.length, trueLength: raw.argsLength });
        }
        return executions.size >= 4;
      });
      const long = executions.get('long');
      assert.ok(long);
      assert.ok(long.trueLength > 1 << 20, `true length ${long.trueLength}`);
      assert.ok(long.bytes < 1 << 17, `kept ${long.bytes}`);
    });

    assert.equal((await up.stop()).code, 0);
    assertHarmless(up.stdoutBytes, 'up');
    assertHarmless(Buffer.from(up.stderr), 'the log of up');
    using audit = home.audit();
    assert.deepEqual(audit.verify().problems, []);
  });
});

/** Runs a program whose path has more than 4,000 bytes and consists of hostile names. */
function longPath(dir: string): void {
  const name = `\u001b[5m${'d'.repeat(240)}\n`;
  const depth = Math.floor((4095 - dir.length - 8) / (Buffer.byteLength(name) + 1));
  const path = join(dir, ...Array.from({ length: depth }, () => name));
  mkdirSync(path, { recursive: true });
  copyFileSync('/bin/true', join(path, 'true'));
  assert.equal(spawnSync(join(path, 'true'), ['rf-hostile-path']).status, 0);
}
