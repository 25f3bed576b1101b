import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Make } from './driver.ts';
import { until } from './helpers.ts';

export function limits(make: Make): void {
  test('a bucket gives its burst, then refuses and says when there is more', async () => {
    const driver = await make();
    const [here, there] = [await driver.connect(), await driver.connect()];
    const bucket = { rate: 0.5, burst: 3 };
    const taken = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? here : there).take('kills/host-1', bucket)),
    );
    assert.equal(taken.filter(({ granted }) => granted).length, 3);
    for (const { granted, retryAfterMs } of taken) {
      if (granted) assert.equal(retryAfterMs, 0);
      else assert.ok(retryAfterMs > 1000 && retryAfterMs <= 2000, `${retryAfterMs} ms`);
    }
    assert.equal((await here.take('kills/host-2', bucket)).granted, true);
  });

  test('it fills again at its rate, and no higher than its burst', async () => {
    const driver = await make();
    const here = await driver.connect();
    const bucket = { rate: 50, burst: 2 };
    assert.equal((await here.take('k', bucket, 2)).granted, true);
    assert.equal((await here.take('k', bucket, 2)).granted, false);
    await until('it was full', async () => (await here.take('k', bucket, 2)).granted);
    await sleep(200);
    assert.equal((await here.take('k', { rate: 50, burst: 2 }, 2)).granted, true);
    assert.equal((await here.take('k', { rate: 0.001, burst: 2 }, 1)).granted, false);
  });

  test('taking several is all or nothing', async () => {
    const driver = await make();
    const here = await driver.connect();
    const bucket = { rate: 0.001, burst: 5 };
    assert.equal((await here.take('k', bucket, 3)).granted, true);
    assert.equal((await here.take('k', bucket, 3)).granted, false);
    assert.equal((await here.take('k', bucket, 2)).granted, true);
  });

  test('a dedup window opens once, and again when it is over', async () => {
    const driver = await make();
    const [here, there] = [await driver.connect(), await driver.connect()];
    const said = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? here : there).once('k', 60_000)));
    assert.equal(said.filter(Boolean).length, 1);
    assert.equal(await here.once('short', 30), true);
    await until('it was over', () => here.once('short', 30));
  });

  test('a counter counts for all, and begins again after its window', async () => {
    const driver = await make();
    const [here, there] = [await driver.connect(), await driver.connect()];
    await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? here : there).count('k', 2, 60_000)));
    assert.equal(await here.count('k', -5, 60_000), 15);
    assert.equal(await here.count('short', 7, 30), 7);
    await until('it began again', async () => (await here.count('short', 1, 30)) === 1);
  });
}
