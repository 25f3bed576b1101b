import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Make } from './driver.ts';
import { until } from './helpers.ts';

export function leases(make: Make): void {
  test('a lease has one holder at a time', async () => {
    const driver = await make();
    const [here, there] = [await driver.connect(), await driver.connect()];
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? here : there).acquire('l', `owner-${i}`, 60_000)),
    );
    const winners = won.filter((lease) => lease !== null);
    assert.equal(winners.length, 1);
    const [holder] = await there.holders(['l']);
    assert.deepEqual(holder, { owner: winners[0]?.owner, token: winners[0]?.token });
  });

  test('it is free again when it was released or has run out, not before; and tokens ascend from holder to holder', async () => {
    const driver = await make();
    const here = await driver.connect();
    const first = await here.acquire('l', 'a', 60_000);
    assert.ok(first !== null);
    assert.equal(await here.acquire('l', 'b', 60_000), null);
    await here.release(first);
    assert.deepEqual(await here.holders(['l']), [null]);
    const second = await here.acquire('l', 'b', 30);
    assert.ok(second !== null && second.token > first.token);
    await until('it ran out', async () => (await here.holders(['l']))[0] === null);
    const third = await here.acquire('l', 'a', 60_000);
    assert.ok(third !== null && third.token > second.token);
  });

  test('renewing keeps it; who has lost it is told, and can neither renew nor release it', async () => {
    const driver = await make();
    const here = await driver.connect();
    const lost = await here.acquire('l', 'a', 40);
    assert.ok(lost !== null);
    assert.equal(await here.renew(lost, 60), true);
    await until('it ran out', async () => (await here.holders(['l']))[0] === null);
    assert.equal(await here.renew(lost, 60_000), false);
    const taken = await here.acquire('l', 'b', 60_000);
    assert.equal(await here.renew(lost, 60_000), false);
    await here.release(lost);
    assert.equal((await here.holders(['l']))[0]?.owner, 'b');
    assert.ok(taken !== null && (await here.renew(taken, 60_000)));
  });

  test('an owner takes its own lease again after a restart; what it held before is fenced off', async () => {
    const driver = await make();
    const here = await driver.connect();
    const before = await here.acquire('l', 'a', 60_000);
    const after = await here.acquire('l', 'a', 60_000);
    assert.ok(before !== null && after !== null && after.token > before.token);
    assert.equal(await here.renew(before, 60_000), false);
    assert.equal(await here.renew(after, 60_000), true);
  });

  test('it can be taken from its holder, who is then told', async () => {
    const driver = await make();
    const [here, there] = [await driver.connect(), await driver.connect()];
    const before = await here.acquire('l', 'a', 60_000);
    assert.equal(await there.acquire('l', 'b', 60_000), null);
    const after = await there.acquire('l', 'b', 60_000, true);
    assert.ok(before !== null && after !== null && after.token > before.token);
    assert.equal(await here.renew(before, 60_000), false);
    await here.release(before);
    assert.equal((await here.holders(['l']))[0]?.owner, 'b');
  });

  test('holders are told in the order they were asked for', async () => {
    const driver = await make();
    const here = await driver.connect();
    await here.acquire('control/host-2', 'r2', 60_000);
    await here.acquire('control/host-1', 'r1', 60_000);
    const held = await here.holders(['control/host-1', 'control/nobody', 'control/host-2']);
    assert.deepEqual(
      held.map((holder) => holder?.owner),
      ['r1', undefined, 'r2'],
    );
    assert.deepEqual(await here.holders([]), []);
  });
}
