import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Enrolments, enrol } from '@ringfence/identity';
import { createSigningKey, encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
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

test('only records signed by the root key enrol or revoke; tombstones are ignored', async (t) => {
  const { bus, ca, enrolments, registrar, agent } = await startFleet(t);
  const hostId = randomUUID();
  const identity = await enrol(agent(hostId));
  const key = identity.signingKey;
  await registrar.revoke(hostId);
  await until(enrolments, () => enrolments.isRevoked(key.keyId));
  const [attacker, unenrolled] = [createSigningKey(), createSigningKey()];
  const put = (name: string, value: Buffer | null): Promise<void> =>
    bus.produce([{ topic: TOPIC.enrolments, key: name, value }]);
  const revokedKey = `${hostId}/${key.keyId}`;
  await put(revokedKey, encodeSigned('Enrolment', draft(hostId, key, { version: 99 }), attacker));
  await put(revokedKey, encodeSigned('Enrolment', draft(hostId, key, { version: 99 }), null));
  await put(revokedKey, Buffer.from('garbage'));
  await put(revokedKey, Buffer.alloc(100_000));
  await put(`${hostId}/${unenrolled.keyId}`, encodeSigned('Enrolment', draft(hostId, unenrolled), attacker));
  // Signed by the root key, but stored under another record key, or with a key id that does not match the key.
  await put('elsewhere/x', encodeSigned('Enrolment', draft(hostId, unenrolled), ca.root));
  await put(
    `${hostId}/${attacker.keyId}`,
    encodeSigned('Enrolment', draft(hostId, unenrolled, { signingKeyId: attacker.keyId }), ca.root),
  );
  await put(revokedKey, encodeSigned('Enrolment', draft(hostId, key, { version: 1 }), ca.root));
  await put(revokedKey, null);
  // When this last record is visible, all records before it were read.
  const last = randomUUID();
  await put(`${last}/${unenrolled.keyId}`, encodeSigned('Enrolment', draft(last, unenrolled), ca.root));
  await until(enrolments, () => enrolments.keyFor(last) !== undefined);
  assert.equal(enrolments.isRevoked(key.keyId), true);
  assert.equal(enrolments.keyFor(hostId), undefined);
  assert.deepEqual(enrolments.stats().refused, { unreadable: 2, forged: 3, misplaced: 2, full: 0 });
});

test('the next comparison repairs records that an attacker with broker access overwrote', async (t) => {
  const fleet = await startFleet(t);
  const { bus, ca, registrar, agent } = fleet;
  const hostId = randomUUID();
  const { signingKey } = await enrol(agent(hostId));
  await registrar.revoke(hostId);
  const key = `${hostId}/${signingKey.keyId}`;
  // A record from before the revocation has a valid signature. After compaction of the topic, a program that starts
  // reads only that record.
  for (const value of [encodeSigned('Enrolment', draft(hostId, signingKey), ca.root), Buffer.from('x'), null]) {
    await bus.produce([{ topic: TOPIC.enrolments, key, value }]);
    const restarted = await fleet.start();
    assert.equal(restarted.stats().healed, 1);
    let latest: Uint8Array | null = null;
    for await (const record of bus.read({ topic: TOPIC.enrolments })) if (record.key === key) latest = record.value;
    assert.ok(latest !== null && latest.length > 100);
    await using fresh = await Enrolments.open({ bus, root: ca.root.publicKey });
    assert.equal(fresh.isRevoked(signingKey.keyId), true);
  }
  assert.equal((await fleet.start()).stats().healed, 0);
});

test('a registrar restored from an old backup recovers newer enrolments from the topic', async (t) => {
  const { bus, ca, registrar, start } = await startFleet(t);
  const key = createSigningKey();
  const hostId = randomUUID();
  const value = encodeSigned('Enrolment', draft(hostId, key, { version: 5, revokedAt: 7 }), ca.root);
  await bus.produce([{ topic: TOPIC.enrolments, key: `${hostId}/${key.keyId}`, value }]);
  await assert.rejects(registrar.revoke(hostId), { code: 'ERR_REGISTRAR_NOT_FOUND' });
  const later = await start();
  assert.equal((await later.revoke(hostId)).keys, 0, 'known and already revoked');
});

test('an enrolment that could not be published is published when the bus is back', async (t) => {
  const fleet = await startFleet(t, { reconcileMs: 200 });
  const { bus, enrolments, agent } = fleet;
  const produce = bus.produce.bind(bus);
  let failing = true;
  bus.produce = async (records) => {
    if (failing) throw new Error('the broker is unreachable');
    return produce(records);
  };
  const hostId = randomUUID();
  const identity = await enrol(agent(hostId));
  assert.ok(fleet.registrar.stats().publishFailures >= 1);
  assert.equal(enrolments.isInForce(identity.serial), false);
  failing = false;
  await until(enrolments, () => enrolments.isInForce(identity.serial));
});

test('refuses enrolments above the limit', async (t) => {
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
