import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { confirmLeft, enrol, FleetStanding, fetchStanding, type Identity } from '@ringfence/identity';
import { type Registrar, type SetBrokerAccess, startRegistrar } from '../src/index.ts';
import { type Fleet, startFleet, until } from './support.ts';

/** Access lists of brokers that may be away. */
class TestBrokers {
  readonly roles = new Map<string, readonly string[]>();
  away = false;
  readonly set: SetBrokerAccess = async (services) => {
    if (this.away) throw new Error('the brokers are away');
    for (const [name, roles] of services) this.roles.set(name, roles);
    return { added: 1, removed: 1 };
  };
}

async function startWith(fleet: Fleet, setAccess: SetBrokerAccess, leaveGraceMs = 1): Promise<Registrar> {
  const options = { port: 0, names: ['127.0.0.1'], reconcileMs: 200, leaveGraceMs };
  return startRegistrar({ options, bus: fleet.bus, ca: fleet.ca, log: silentLog, setAccess });
}

async function enrolDetector(fleet: Fleet, registrar: Registrar, subject = 'detector-1'): Promise<Identity> {
  const token = registrar.createToken({ roles: ['detector'], subject });
  return enrol({
    registrar: registrar.url,
    token,
    subject,
    roles: ['detector'],
    directory: join(fleet.directory, subject),
  });
}

test('a service has its access when its enrolment ends, and none when its revocation ends', async (t) => {
  const fleet = await startFleet(t);
  const brokers = new TestBrokers();
  await using registrar = await startWith(fleet, brokers.set);
  await enrolDetector(fleet, registrar);
  assert.deepEqual([...brokers.roles], [['detector-1', ['detector']]]);
  const { at: _, ...revocation } = await registrar.revoke('detector-1');
  assert.deepEqual(revocation, { keys: 1, access: 'removed', departure: 'unconfirmed', roles: ['detector'] });
  assert.deepEqual([...brokers.roles], [['detector-1', []]]);
});

test('a revocation does not wait for brokers that are away, and its access is removed once they are back', async (t) => {
  const fleet = await startFleet(t);
  const brokers = new TestBrokers();
  await using registrar = await startWith(fleet, brokers.set);
  await enrolDetector(fleet, registrar);
  brokers.away = true;
  assert.equal((await registrar.revoke('detector-1')).access, 'failed');
  assert.ok(registrar.stats().accessFailures > 0);
  brokers.away = false;
  while (brokers.roles.get('detector-1')?.length !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('brokers without access lists, and hosts, are none of it', async (t) => {
  const fleet = await startFleet(t);
  const asked: string[][] = [];
  await using registrar = await startWith(fleet, async (services) => {
    asked.push([...services.keys()]);
    return null;
  });
  const hostId = randomUUID();
  await enrol({
    ...fleet.agent(hostId),
    registrar: registrar.url,
    token: registrar.createToken({ roles: ['agent'], subject: hostId }),
  });
  assert.deepEqual((await registrar.revoke(hostId)).access, 'none');
  await enrolDetector(fleet, registrar);
  assert.deepEqual((await registrar.revoke('detector-1')).access, 'none');
  assert.ok(asked.flat().every((name) => name === 'detector-1'));
});

test('a service keeps its access until it has confirmed that it has left its groups, and its records count until then', async (t) => {
  const fleet = await startFleet(t);
  const { enrolments } = fleet;
  const brokers = new TestBrokers();
  await using registrar = await startWith(fleet, brokers.set, 3_600_000);
  const revoked = await enrolDetector(fleet, registrar);
  const other = await enrolDetector(fleet, registrar, 'detector-2');
  const { keyId } = revoked.signingKey;
  const revoking = registrar.revoke('detector-1');
  const revokedAt = (): number => enrolments.ofSubject('detector-1')[0]?.revokedAt ?? 0;
  await until(enrolments, () => revokedAt() > 0);
  assert.ok(enrolments.trustedKeys('detector')(keyId) !== undefined);
  assert.deepEqual(brokers.roles.get('detector-1'), ['detector']);
  const standing = new FleetStanding(fleet.ca.root.publicKey);
  standing.add((await fetchStanding({ registrar: registrar.url }, other.tls)) ?? assert.fail());
  assert.deepEqual([standing.lists(keyId), standing.lists(other.signingKey.keyId)], [false, true]);

  t.diagnostic('only its own certificate speaks for it');
  await confirmLeft({ registrar: registrar.url }, other.tls);
  const foreign = await startFleet(t);
  const stranger = await enrolDetector(foreign, foreign.registrar);
  const tls = { ...stranger.tls, authority: fleet.ca.certificate };
  await assert.rejects(confirmLeft({ registrar: registrar.url }, tls), { reason: 'ERR_REGISTRAR_CERTIFICATE' });
  assert.deepEqual(brokers.roles.get('detector-1'), ['detector']);

  await confirmLeft({ registrar: registrar.url }, revoked.tls);
  const { departure, access, at } = await revoking;
  assert.deepEqual({ departure, access }, { departure: 'left', access: 'removed' });
  assert.deepEqual(brokers.roles.get('detector-1'), []);
  await until(enrolments, () => revokedAt() === at * 1000);
  assert.equal(enrolments.trustedKeys('detector')(keyId), undefined);
});

test('with `now` no service is waited for', async (t) => {
  const fleet = await startFleet(t);
  const brokers = new TestBrokers();
  await using registrar = await startWith(fleet, brokers.set, 3_600_000);
  await enrolDetector(fleet, registrar);
  const { departure, access } = await registrar.revoke('detector-1', { now: true });
  assert.deepEqual({ departure, access }, { departure: 'not-awaited', access: 'removed' });
});

test('a registrar that was stopped after it had announced a revocation removes the access at its time', async (t) => {
  const fleet = await startFleet(t);
  const brokers = new TestBrokers();
  await using stopped = await startWith(fleet, brokers.set, 60_000);
  await enrolDetector(fleet, stopped);
  const { enrolments } = fleet;
  const revoking = stopped.revoke('detector-1');
  const revokedAt = (): number => enrolments.ofSubject('detector-1')[0]?.revokedAt ?? 0;
  await until(enrolments, () => revokedAt() > 0);
  const clock = { ms: revokedAt() / 1000 - 100 };
  const next = new TestBrokers();
  const options = { port: 0, names: ['127.0.0.1'], reconcileMs: 3_600_000 };
  const { bus, ca } = fleet;
  await using restarted = await startRegistrar({
    ...{ options, bus, ca, log: silentLog, setAccess: next.set },
    now: () => clock.ms,
  });
  assert.deepEqual(next.roles.get('detector-1'), ['detector']);
  clock.ms += 100;
  while (next.roles.get('detector-1')?.length !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(restarted.stats().accessRemoved > 0);

  t.diagnostic('one that ends in the meantime completes the revocation');
  await stopped.close();
  const { departure, access } = await revoking;
  assert.deepEqual({ departure, access }, { departure: 'unconfirmed', access: 'removed' });
  assert.deepEqual(brokers.roles.get('detector-1'), []);
});
