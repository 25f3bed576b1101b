import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Enrolments, enrol } from '@ringfence/identity';
import { createSigningKey, encodeSigned, type SigningKey, TOPIC } from '@ringfence/schema';
import { startFleet, until } from './support.ts';

type Draft = Parameters<typeof encodeSigned<'Enrolment'>>[1];

function draft(subject: string, key: SigningKey, overrides: Partial<Draft> = {}): Draft {
  return {
    subject,
    role: 'agent',
    publicKey: key.publicKey.export({ type: 'spki', format: 'der' }),
    signingKeyId: key.keyId,
    certificateSerials: [],
    issuedAt: 1,
    revokedAt: 0,
    version: 1,
    ...overrides,
  };
}

test("nobody but the root key's holder enrols, revokes or forgets", async (t) => {
  const { bus, ca, enrolments, registrar, agent } = await startFleet(t);
  const hostId = randomUUID();
  const identity = await enrol(agent(hostId));
  const key = identity.signingKey;
  await registrar.revoke(hostId);
  await until(enrolments, () => enrolments.isRevoked(key.keyId));
  const [thief, own] = [createSigningKey(), createSigningKey()];
  const put = (name: string, value: Buffer | null): Promise<void> =>
    bus.produce([{ topic: TOPIC.enrolments, key: name, value }]);
  const place = `${hostId}/${key.keyId}`;
  await put(place, encodeSigned('Enrolment', draft(hostId, key, { version: 99 }), thief));
  await put(place, encodeSigned('Enrolment', draft(hostId, key, { version: 99 }), null));
  await put(place, Buffer.from('garbage'));
  await put(place, Buffer.alloc(100_000));
  await put(`${hostId}/${own.keyId}`, encodeSigned('Enrolment', draft(hostId, own), thief));
  // Genuine, but said of another place than its own; genuine, but its key is another's.
  await put('elsewhere/x', encodeSigned('Enrolment', draft(hostId, own), ca.root));
  await put(
    `${hostId}/${thief.keyId}`,
    encodeSigned('Enrolment', draft(hostId, own, { signingKeyId: thief.keyId }), ca.root),
  );
  await put(place, encodeSigned('Enrolment', draft(hostId, key, { version: 1 }), ca.root));
  await put(place, null);
  // What comes last shows that all before it was read.
  const last = randomUUID();
  await put(`${last}/${own.keyId}`, encodeSigned('Enrolment', draft(last, own), ca.root));
  await until(enrolments, () => enrolments.keyFor(last) !== undefined);
  assert.equal(enrolments.isRevoked(key.keyId), true);
  assert.equal(enrolments.keyFor(hostId), undefined);
  assert.deepEqual(enrolments.stats().refused, { unreadable: 2, forged: 3, misplaced: 2, full: 0 });
});

test('what a thief of the broker password overwrites is put right by the next comparison', async (t) => {
  const fleet = await startFleet(t);
  const { bus, ca, registrar, agent } = fleet;
  const hostId = randomUUID();
  const { signingKey } = await enrol(agent(hostId));
  await registrar.revoke(hostId);
  const key = `${hostId}/${signingKey.keyId}`;
  // The record of before the revocation is genuine for ever: once the topic is compacted, a program that starts knows no other.
  for (const value of [encodeSigned('Enrolment', draft(hostId, signingKey), ca.root), Buffer.from('x'), null]) {
    await bus.produce([{ topic: TOPIC.enrolments, key, value }]);
    const healer = await fleet.start();
    assert.equal(healer.stats().healed, 1);
    let latest: Uint8Array | null = null;
    for await (const record of bus.read({ topic: TOPIC.enrolments })) if (record.key === key) latest = record.value;
    assert.ok(latest !== null && latest.length > 100);
    await using fresh = await Enrolments.open({ bus, root: ca.root.publicKey });
    assert.equal(fresh.isRevoked(signingKey.keyId), true);
  }
  assert.equal((await fleet.start()).stats().healed, 0);
});

test('a registrar restored from an old copy of its book learns from the topic what it forgot', async (t) => {
  const { bus, ca, registrar, start } = await startFleet(t);
  const key = createSigningKey();
  const hostId = randomUUID();
  const value = encodeSigned('Enrolment', draft(hostId, key, { version: 5, revokedAt: 7 }), ca.root);
  await bus.produce([{ topic: TOPIC.enrolments, key: `${hostId}/${key.keyId}`, value }]);
  await assert.rejects(registrar.revoke(hostId), { code: 'ERR_REGISTRAR_NOT_FOUND' });
  const later = await start();
  assert.equal(await later.revoke(hostId), 0, 'known, and revoked already');
});

test('an enrolment that the bus does not take is in force once it does', async (t) => {
  const fleet = await startFleet(t, { reconcileMs: 200 });
  const { bus, enrolments, agent } = fleet;
  const produce = bus.produce.bind(bus);
  let failing = true;
  bus.produce = async (records) => {
    if (failing) throw new Error('the broker is away');
    return produce(records);
  };
  const hostId = randomUUID();
  const identity = await enrol(agent(hostId));
  assert.ok(fleet.registrar.stats().publishFailures >= 1);
  assert.equal(enrolments.isInForce(identity.serial), false);
  failing = false;
  await until(enrolments, () => enrolments.isInForce(identity.serial));
});

test('no more enrolments are remembered than there is room for', async (t) => {
  const { bus, ca } = await startFleet(t);
  const key = createSigningKey();
  const hosts = [randomUUID(), randomUUID(), randomUUID()];
  for (const host of hosts) {
    const value = encodeSigned('Enrolment', draft(host, key), ca.root);
    await bus.produce([{ topic: TOPIC.enrolments, key: `${host}/${key.keyId}`, value }]);
  }
  await using enrolments = await Enrolments.open({ bus, root: ca.root.publicKey, maxEntries: 2 });
  const { known, refused } = enrolments.stats();
  assert.equal(known, 2);
  assert.ok(refused.full >= 1);
  assert.ok(enrolments.keyFor(hosts[0] as string));
  assert.equal(enrolments.keyFor(hosts[2] as string), undefined);
});
