import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { enrol } from '@ringfence/identity';
import { type Registrar, type SetBrokerAccess, startRegistrar } from '../src/index.ts';
import { type Fleet, startFleet } from './support.ts';

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

async function startWith(fleet: Fleet, setAccess: SetBrokerAccess): Promise<Registrar> {
  const options = { port: 0, names: ['127.0.0.1'], reconcileMs: 200 };
  return startRegistrar({ options, bus: fleet.bus, ca: fleet.ca, log: silentLog, setAccess });
}

async function enrolDetector(fleet: Fleet, registrar: Registrar): Promise<void> {
  const token = registrar.createToken({ roles: ['detector'], subject: 'detector-1' });
  const subject = 'detector-1';
  await enrol({
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
  assert.deepEqual(await registrar.revoke('detector-1'), { keys: 1, access: 'removed' });
  assert.deepEqual([...brokers.roles], [['detector-1', []]]);
});

test('a revocation does not wait for brokers that are away, and its access is removed once they are back', async (t) => {
  const fleet = await startFleet(t);
  const brokers = new TestBrokers();
  await using registrar = await startWith(fleet, brokers.set);
  await enrolDetector(fleet, registrar);
  brokers.away = true;
  assert.deepEqual(await registrar.revoke('detector-1'), { keys: 1, access: 'failed' });
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
