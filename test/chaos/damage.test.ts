import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation } from '../e2e/lib/program.ts';
import { skip } from '../e2e/lib/root.ts';
import { until } from '../e2e/lib/wait.ts';
import { accountOf, assertComplete, assertConsistent } from './lib/account.ts';
import { Workload } from './lib/workload.ts';

/** Overwrites `length` bytes from `position`, which counts from the end if negative. */
function damage(path: string, position: number, length: number): void {
  const fd = openSync(path, 'r+');
  try {
    const at = position < 0 ? Math.max(0, fstatSync(fd).size + position) : position;
    writeSync(fd, Buffer.alloc(length, 0xa5), 0, length, at);
  } finally {
    closeSync(fd);
  }
}

describe('A failing disk', { skip }, () => {
  test('up waits while the disk is full and continues without loss once there is space', {
    timeout: 120_000,
  }, async (t) => {
    await using home = new Installation();
    mkdirSync(home.stateDir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'tmpfs', home.stateDir]);
    // Unmount lazily: a killed process may keep the mount busy for a moment.
    await using _mount = { [Symbol.asyncDispose]: async () => void execFileSync('umount', ['--lazy', home.stateDir]) };
    await using workload = new Workload(home);
    await using up = await home.up();
    workload.start();
    await up.says('rfmark5z');
    const ballast = join(home.stateDir, 'ballast');
    fill(ballast);
    const before = await stored(home);
    await until('the log line about the full disk', () => /the disk is full/.test(up.stderr));
    await sleep(2000);
    t.diagnostic(`${before} markers were stored when the disk became full`);
    assert.ok(up.alive, up.stderr);
    rmSync(ballast);
    const markers = await workload.finish();
    await until(`the last marker in the trail; stderr of up:\n${up.stderr.slice(-3000)}`, async () => {
      using audit = home.audit();
      return (await accountOf(audit)).alerts.has(markers - 1);
    });
    assert.equal((await up.stop()).code, 0, up.stderr);
    using audit = home.audit();
    assertComplete(await accountOf(audit), markers);
    await assertConsistent(audit);
  });

  test('up uses the intact part of a damaged bus log and reports the lost records', { timeout: 120_000 }, async (t) => {
    await using home = new Installation();
    await using workload = new Workload(home);
    const first = await home.up();
    workload.start();
    await first.says('rfmark20z');
    await first.stop('SIGKILL');
    const wal = join(home.stateDir, 'bus.db-wal');
    assert.ok(statSync(wal).size > 8192, 'the bus log is too short to damage');
    damage(wal, -6000, 6000);
    await using second = await home.up();
    const markers = await workload.finish();
    await until('the last marker in the trail', async () => {
      using audit = home.audit();
      return (await accountOf(audit)).alerts.has(markers - 1);
    });
    assert.equal((await second.stop()).code, 0, second.stderr);
    using audit = home.audit();
    const account = await accountOf(audit);
    t.diagnostic(`${markers} markers, ${account.executions.size} stored, ${account.gaps} gaps`);
    assertComplete(account, markers);
    assert.deepEqual(audit.verify().problems, []);
  });

  test('up sets a damaged database file aside, logs its new name, and starts with an empty one', {
    timeout: 90_000,
  }, async () => {
    await using home = new Installation();
    assert.equal((await (await home.up()).stop()).code, 0);
    for (const file of ['bus.db', 'audit.db']) {
      damage(join(home.stateDir, file), 0, 4096);
      await using up = await home.up();
      await up.says(`${file}.damaged-`);
      assert.equal((await up.stop()).code, 0);
      assert.ok(readdirSync(home.stateDir).some((name) => name.startsWith(`${file}.damaged-`)));
      using audit = home.audit();
      assert.deepEqual(audit.verify().problems, []);
    }
  });
});

async function stored(home: Installation): Promise<number> {
  using audit = home.audit();
  return (await accountOf(audit)).executions.size;
}

/** Writes until the file system is full. */
function fill(path: string): void {
  const block = Buffer.alloc(64 * 1024);
  writeFileSync(path, '');
  const fd = openSync(path, 'a');
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
}
