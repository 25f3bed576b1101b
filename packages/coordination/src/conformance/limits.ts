import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MakeDriver } from './driver.ts';
import { until } from './helpers.ts';

export function limits(make: MakeDriver): void {
  test('a bucket grants its burst, then refuses and returns when to retry', async () => {
    const driver = await make();
    const [coordination, peer] = [await driver.connect(), await driver.connect()];
    const bucket = { rate: 0.5, burst: 3 };
    const taken = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? coordination : peer).take('kills/host-1', bucket)),
    );
    assert.equal(taken.filter(({ granted }) => granted).length, 3);
    for (const { granted, retryAfterMs } of taken) {
      if (granted) assert.equal(retryAfterMs, 0);
      else assert.ok(retryAfterMs > 1000 && retryAfterMs <= 2000, `${retryAfterMs} ms`);
    }
    assert.equal((await coordination.take('kills/host-2', bucket)).granted, true);
  });

  test('a bucket refills at its rate up to its burst', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const bucket = { rate: 50, burst: 2 };
    assert.equal((await coordination.take('k', bucket, 2)).granted, true);
    assert.equal((await coordination.take('k', bucket, 2)).granted, false);
    await until('the bucket was full', async () => (await coordination.take('k', bucket, 2)).granted);
    await sleep(200);
    assert.equal((await coordination.take('k', { rate: 50, burst: 2 }, 2)).granted, true);
    assert.equal((await coordination.take('k', { rate: 0.001, burst: 2 }, 1)).granted, false);
  });

  test('taking several tokens is all or nothing', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const bucket = { rate: 0.001, burst: 5 };
    assert.equal((await coordination.take('k', bucket, 3)).granted, true);
    assert.equal((await coordination.take('k', bucket, 3)).granted, false);
    assert.equal((await coordination.take('k', bucket, 2)).granted, true);
  });

  test('a dedup window opens once, and again after its end', async () => {
    const driver = await make();
    const [coordination, peer] = [await driver.connect(), await driver.connect()];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 ? coordination : peer).once('k', 60_000)),
    );
    assert.equal(results.filter(Boolean).length, 1);
    assert.equal(await coordination.once('short', 30), true);
    await until('the window was over', () => coordination.once('short', 30));
  });

  test('a counter is shared by all connections and resets after its window', async () => {
    const driver = await make();
    const [coordination, peer] = [await driver.connect(), await driver.connect()];
    await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? coordination : peer).count('k', 2, 60_000)));
    assert.equal(await coordination.count('k', -5, 60_000), 15);
    assert.equal(await coordination.count('short', 7, 30), 7);
    await until('the counter was reset', async () => (await coordination.count('short', 1, 30)) === 1);
  });
}
