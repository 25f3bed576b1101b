import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const repository = dirname(dirname(import.meta.dirname));
const root = mkdtempSync(join(tmpdir(), 'ringfence-test-runner-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Fails if another file runs at the same time. */
const ALONE = `import { mkdirSync, rmdirSync } from 'node:fs'; import { setTimeout } from 'node:timers/promises';
  test('has the kernel', async () => { mkdirSync('in-use'); await setTimeout(500); rmdirSync('in-use'); });`;

const FILES: Readonly<Record<string, string>> = {
  'packages/a/test/good.test.ts': `test('adds', () => {}); test('waits', (t) => t.skip('no kernel here'));`,
  'packages/a/test/deep/bad.test.ts': `console.log('printed before'); describe('group', () => { it('differs', () => assert.deepEqual({ a: 1 }, { a: 2 })); it('agrees', () => {}); });`,
  'packages/a/test/busy.test.ts': `import { spawnSync } from 'node:child_process';
    const spin = 'while (process.cpuUsage().user < 1e6);';
    test('uses a child process', () => { spawnSync(process.execPath, ['-e', spin]); });`,
  'services/b/test/crash.test.ts': `throw new Error('crashed at import');`,
  'services/b/test/empty.test.ts': `export {};`,
  'test/kernel/sensor/first.test.ts': `globalThis.shared = true; ${ALONE}`,
  'test/kernel/sensor/second.test.ts': `import { spawnSync } from 'node:child_process';
    test('is in the process of the first', () => assert.ok(globalThis.shared && process.env.RINGFENCE_TEST_KEEP));
    test('costs', () => { spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 3e5);']); });`,
  'test/kernel/alone.test.ts': ALONE,
  'test/kernel/alone-too.test.ts': ALONE,
  'test/kernels/kernels.test.ts': `import { existsSync } from 'node:fs'; import { setTimeout } from 'node:timers/promises';
    test('takes longer than the check', async () => { while (!existsSync('checked')) await setTimeout(50); });`,
  'test/bench/slow.test.ts': `throw new Error('never run');`,
  'packages/a/dist/old.test.ts': `throw new Error('never run');`,
};

before(() => {
  for (const name of ['bootstrap', 'test-runner'])
    cpSync(join(repository, 'tools', name), join(root, 'tools', name), { recursive: true });
  cpSync(join(repository, 'tools/test.ts'), join(root, 'tools/test.ts'));
  // The runner imports the package that starts shared servers.
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(root, 'tools/check.ts'),
    `import { existsSync, writeFileSync } from 'node:fs'; writeFileSync('checked', '');
      process.exitCode = process.env.CHECK_FAILS || existsSync('in-use') ? 1 : 0;`,
  );
  for (const [path, body] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(
      join(root, path),
      `import assert from 'node:assert/strict'; import test, { describe, it } from 'node:test'; ${body}`,
    );
  }
});

function runTests(...args: string[]) {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@ringfence/source', join(root, 'tools/test.ts'), ...args],
    {
      cwd: root,
      encoding: 'utf8',
      env,
    },
  );
  return { lines: stdout.trimEnd().split('\n'), stdout, stderr, status };
}

describe('the test runner', () => {
  describe('without a filter', () => {
    let fullRun: ReturnType<typeof runTests>;
    before(() => {
      fullRun = runTests();
    });

    it('runs everything, shows complete failures, and ends with one line of totals', () => {
      const { lines, stdout, status } = fullRun;
      assert.equal(lines.at(-1), '10 passed, 3 failed, 1 skipped');
      assert.equal(stdout.match(/^\d+ passed, \d+ failed, \d+ skipped$/gm)?.length, 1);
      assert.equal(status, 1);
      // If two files end at the same time, one of them gets the CPU time of both.
      assert.match(
        stdout,
        /^ok {3}packages\/a\/test\/good\.test\.ts: 1 passed, 1 skipped \(\d+\.\d s(?:, CPU \d+\.\d s)?\)$/m,
      );
      assert.match(stdout, /^ +skipped: waits: no kernel here$/m);
      assert.match(
        stdout,
        /FAIL packages\/a\/test\/deep\/bad\.test\.ts\n {2}differs\n[\s\S]*\+ {3}a: 1[\s\S]*printed before/,
      );
      assert.match(stdout, /crashed at import/);
      assert.match(stdout, /empty\.test\.ts\n[\s\S]*the file registered no test/);
      assert.doesNotMatch(stdout, /never run/);
    });

    it('runs the check last, in parallel with the guest', () => {
      const order = fullRun.lines.filter((line) => /^(ok {2}|FAIL) .*\(\d/.test(line));
      // Either can end first; the guest ends only after the check has started.
      assert.match(order.slice(-2).toSorted().join(), /npm run check: 1 passed.*kernels\.test\.ts: 1 passed/);
    });

    it('reports the CPU time of the run and of the most expensive files, including their child processes', () => {
      assert.match(
        fullRun.stdout,
        /^CPU [\d.]+ s, of which shared servers used [\d.]+ s; files that used most of it:$/m,
      );
      const [costliest] = fullRun.stdout.matchAll(/^ +([\d.]+) s in [\d.]+ s: (\S+)$/gm);
      assert.equal(costliest?.[2], 'packages/a/test/busy.test.ts');
      assert.ok(Number(costliest[1]) >= 1, fullRun.stdout);
    });
  });

  it('runs kernel tests one at a time, and the tests of the sensor in one process', () => {
    const { lines, stdout } = runTests('test/kernel/');
    assert.equal(lines.at(-1), '5 passed, 0 failed, 0 skipped');
    const [, cpu] = /second\.test\.ts: 2 passed \([\d.]+ s, CPU ([\d.]+) s\)/.exec(stdout) ?? [];
    assert.ok(Number(cpu) >= 0.3, stdout);
  });

  it('kills a file that does not exit; it fails unless all its tests have ended', () => {
    const write = (name: string, body: string) => {
      const file = join(root, 'packages/a/test', `${name}.test.ts`);
      writeFileSync(file, `import test from 'node:test'; test('passes', () => {}); ${body}`);
      return file;
    };
    const open = write('stays-open', 'setInterval(() => {}, 1000);');
    const stuck = write(
      'stuck-at-its-end',
      `process.on('exit', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));`,
    );
    try {
      const { lines, stdout } = runTests('stays-open', 'stuck-at', '--timeout', '8');
      assert.equal(lines.at(-1), '2 passed, 1 failed, 0 skipped');
      assert.match(stdout, /^FAIL packages\/a\/test\/stays-open\.test\.ts: 1 passed, 1 failed/m);
      assert.match(stdout, /killed by SIGKILL after 8 s: a test or an open handle keeps the file running/);
    } finally {
      rmSync(open);
      rmSync(stuck);
    }
  });

  it('removes the pins of a killed file and no other pins', {
    skip: process.getuid?.() === 0 ? false : 'pinning needs root',
  }, () => {
    const file = join(root, 'packages/a/test/pins.test.ts');
    const pins = `import { mkdirSync } from 'node:fs'; import { BpfMap } from '@ringfence/libbpf-ts';
      using map = BpfMap.create({ type: 'array', name: 'left', keySize: 4, valueSize: 4, maxEntries: 1 });
      const at = '/sys/fs/bpf/rf-test-' + process.pid + '-left';
      mkdirSync(at);
      map.pin(at + '/map');
      console.log('pinned at', at);
      process.kill(process.pid, 'SIGKILL');`;
    writeFileSync(file, pins);
    const unrelated = `/sys/fs/bpf/rf-test-${process.pid}-unrelated`;
    mkdirSync(unrelated);
    try {
      const { stdout } = runTests('pins');
      const [, at] = /pinned at (\S+)/.exec(stdout) ?? [];
      assert.ok(at, stdout);
      assert.equal(existsSync(at), false, 'the pin of the killed file still exists');
      assert.ok(existsSync(unrelated));
    } finally {
      rmdirSync(unrelated);
      rmSync(file);
    }
  });

  it('runs only the files that a filter selects, without the check', () => {
    const { lines, status } = runTests('good', 'alone');
    assert.equal(lines.at(-1), '3 passed, 0 failed, 1 skipped');
    assert.equal(
      lines.some((line) => line.includes('npm run check')),
      false,
    );
    assert.equal(status, 0);
  });

  it('runs only the tests whose title matches', () => {
    for (const [filter, title] of [
      ['packages/a', 'agrees'],
      ['test/kernel/sensor', 'costs'],
    ] as const) {
      const { lines, status } = runTests(filter, '--only', title);
      assert.equal(lines.at(-1), '1 passed, 0 failed, 0 skipped');
      assert.equal(status, 0);
    }
  });

  it('reports a wrong option in one line, with exit code 2', () => {
    for (const [args, message] of [
      [['--timeout', '-1x'], /--timeout/],
      [['--timeout=0'], /^--timeout 0: expected seconds, above 0\n$/],
      [['--no-such-option'], /^Unknown option '--no-such-option'[^\n]*\n$/],
    ] as const) {
      const { stdout, stderr, status } = runTests(...args);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.equal(status, 2);
    }
  });

  it('fails when a filter selects no file', () => {
    const { stdout, status } = runTests('nowhere');
    assert.equal(stdout, 'no test file matches nowhere\n0 passed, 0 failed, 0 skipped\n');
    assert.equal(status, 1);
  });
});
