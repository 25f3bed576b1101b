import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MakeDriver } from './driver.ts';
import { until } from './helpers.ts';

export function leases(make: MakeDriver): void {
  test('a lease has one holder at a time', async () => {
    const driver = await make();
    const [coordination, peer] = [await driver.connect(), await driver.connect()];
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? coordination : peer).acquire('l', `owner-${i}`, 60_000)),
    );
    const winners = won.filter((lease) => lease !== null);
    assert.equal(winners.length, 1);
    const [holder] = await peer.holders(['l']);
    assert.deepEqual(holder, { owner: winners[0]?.owner, token: winners[0]?.token });
  });

  test('a lease is free again only after its release or expiry, and each holder gets a higher token', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const first = await coordination.acquire('l', 'a', 60_000);
    assert.ok(first !== null);
    assert.equal(await coordination.acquire('l', 'b', 60_000), null);
    await coordination.release(first);
    assert.deepEqual(await coordination.holders(['l']), [null]);
    const second = await coordination.acquire('l', 'b', 30);
    assert.ok(second !== null && second.token > first.token);
    await until('the lease expired', async () => (await coordination.holders(['l']))[0] === null);
    const third = await coordination.acquire('l', 'a', 60_000);
    assert.ok(third !== null && third.token > second.token);
  });

  test('renewing extends a lease, and a lost lease can be neither renewed nor released', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const lost = await coordination.acquire('l', 'a', 40);
    assert.ok(lost !== null);
    assert.equal(await coordination.renew(lost, 60), true);
    await until('the lease expired', async () => (await coordination.holders(['l']))[0] === null);
    assert.equal(await coordination.renew(lost, 60_000), false);
    const taken = await coordination.acquire('l', 'b', 60_000);
    assert.equal(await coordination.renew(lost, 60_000), false);
    await coordination.release(lost);
    assert.equal((await coordination.holders(['l']))[0]?.owner, 'b');
    assert.ok(taken !== null && (await coordination.renew(taken, 60_000)));
  });

  test('an owner can acquire its lease again after a restart, which invalidates its previous lease', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const before = await coordination.acquire('l', 'a', 60_000);
    const after = await coordination.acquire('l', 'a', 60_000);
    assert.ok(before !== null && after !== null && after.token > before.token);
    assert.equal(await coordination.renew(before, 60_000), false);
    assert.equal(await coordination.renew(after, 60_000), true);
  });

  test('a lease can be taken over, and its previous holder can no longer renew it', async () => {
    const driver = await make();
    const [coordination, peer] = [await driver.connect(), await driver.connect()];
    const before = await coordination.acquire('l', 'a', 60_000);
    assert.equal(await peer.acquire('l', 'b', 60_000), null);
    const after = await peer.acquire('l', 'b', 60_000, true);
    assert.ok(before !== null && after !== null && after.token > before.token);
    assert.equal(await coordination.renew(before, 60_000), false);
    await coordination.release(before);
    assert.equal((await coordination.holders(['l']))[0]?.owner, 'b');
  });

  test('holders are returned in the order of the requested names', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    await coordination.acquire('control/host-2', 'r2', 60_000);
    await coordination.acquire('control/host-1', 'r1', 60_000);
    const held = await coordination.holders(['control/host-1', 'control/nobody', 'control/host-2']);
    assert.deepEqual(
      held.map((holder) => holder?.owner),
      ['r1', undefined, 'r2'],
    );
    assert.deepEqual(await coordination.holders([]), []);
  });
}
