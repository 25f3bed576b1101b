import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createRecord, createTopic, defer, NOTHING, readAll, take, temporary } from '@ringfence/testkit/bus';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { BusFullError } from '../../src/errors.ts';

function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

const threads = (): number => readdirSync('/proc/self/task').length;

/** Mounts a small file system. Skips the test and returns null when this process may not mount. */
function smallDisk(t: TestContext, megabytes: number): string | null {
  const directory = join(temporary(t), 'disk');
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`this process cannot mount a tmpfs: ${error instanceof Error ? error.message.trim() : String(error)}`);
    return null;
  }
  defer(t, () => execFileSync('umount', [directory]));
  return directory;
}

describe('the disk', () => {
  test('database and log together stay within the bound while ten times as much is written', async (t) => {
    const directory = temporary(t);
    const maxBytes = 12 * 2 ** 20;
    const bus = await openEmbeddedBus({ path: join(directory, 'bus.db'), maxBytes });
    defer(t, () => bus.close());
    await bus.ensureTopics([createTopic('t', { retentionMs: 3_600_000 })]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      await bus.produce([createRecord('t', { value: Buffer.alloc(60_000, i) })]);
      if (i % 8 !== 7) continue;
      await consumer.commit(await take(consumer, 8), NOTHING);
      await nextTurn();
      most = Math.max(most, bytesIn(directory));
    }
    // The shared memory of the log and the lock file have some ten kilobytes.
    assert.ok(most <= maxBytes + 100_000, `${most} bytes at most`);
    assert.ok(bus.drops().every(({ cause }) => cause === 'early'));
  });

  test('the checkpoint thread ends after some idle time, and starts again when the log grows', async (t) => {
    const bus = await openEmbeddedBus({ path: join(temporary(t), 'bus.db') });
    defer(t, () => bus.close());
    await bus.ensureTopics([createTopic('t')]);
    const idleThreads = threads();
    for (let round = 0; round < 2; round++) {
      for (let produced = 0; threads() === idleThreads; produced++) {
        assert.ok(produced < 2000, 'no thread has started');
        await bus.produce([createRecord('t', { value: Buffer.alloc(60_000) })]);
        await nextTurn();
      }
      for (const end = performance.now() + 30_000; threads() > idleThreads; await sleep(100))
        assert.ok(performance.now() < end, 'the idle thread has not ended');
    }
  });

  test('a full disk refuses records, loses none, and accepts records when it has room again', async (t) => {
    const directory = smallDisk(t, 32);
    if (directory === null) return;
    const bus = await openEmbeddedBus({ path: join(directory, 'bus.db'), maxBytes: 2 ** 30 });
    await bus.ensureTopics([createTopic('t')]);
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(16 * 2 ** 20));
    let produced = 0;
    const produceAll = async (): Promise<void> => {
      for (; produced < 1000; produced++)
        await bus.produce([createRecord('t', { value: Buffer.alloc(60_000, produced) })]);
    };
    await assert.rejects(produceAll, (error) => error instanceof BusFullError && error.availableBytes < 16 * 2 ** 20);
    assert.ok(produced > 10);
    const before = await readAll(bus, 't');
    assert.equal(before.length, produced);
    rmSync(ballast);
    await bus.produce([createRecord('t', { value: 'after' })]);
    assert.equal((await readAll(bus, 't')).length, produced + 1);
    await bus.close();
    const again = await openEmbeddedBus({ path: join(directory, 'bus.db'), maxBytes: 2 ** 30 });
    assert.equal((await readAll(again, 't')).length, produced + 1);
    await again.close();
  });

  test('a bus can be closed on a full disk', async (t) => {
    const directory = smallDisk(t, 8);
    if (directory === null) return;
    const path = join(directory, 'bus.db');
    const bus = await openEmbeddedBus({ path, maxBytes: 2 ** 30 });
    await bus.ensureTopics([createTopic('t')]);
    let produced = 0;
    const produceAll = async (): Promise<void> => {
      for (; produced < 1000; produced++)
        await bus.produce([createRecord('t', { value: Buffer.alloc(30_000, produced) })]);
    };
    await assert.rejects(produceAll, BusFullError);
    // The bus has kept a reserve. Another file takes it.
    assert.throws(() => writeFileSync(join(directory, 'ballast'), Buffer.alloc(8 * 2 ** 20)), { code: 'ENOSPC' });
    const written = bus.consumer({ group: 'new', topics: ['t'] });
    await assert.rejects(written, (error) => error instanceof BusFullError && error.availableBytes === 0);
    await bus.close();
    rmSync(join(directory, 'ballast'));
    const again = await openEmbeddedBus({ path, maxBytes: 2 ** 30 });
    assert.equal((await readAll(again, 't')).length, produced);
    await again.close();
  });
});
