import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { enrol, FleetStanding, fetchStanding, type Identity, renew, standingPath } from '@ringfence/identity';
import { decode, type Role, type Standing } from '@ringfence/wire';
import { type Fleet, startFleet } from './support.ts';

async function enrolMember(fleet: Fleet, subject: string, role: Role): Promise<Identity> {
  const token = fleet.registrar.createToken({ roles: [role], subject });
  return enrol(fleet.agent(subject, { token, roles: [role] }));
}

async function standingOf(fleet: Fleet, { tls }: Identity, registrar = fleet.registrar.url): Promise<Standing> {
  const bytes = await fetchStanding({ registrar }, tls);
  assert.ok(bytes !== null);
  return decode('Standing', bytes);
}

const subjectsOf = ({ members }: Standing): string[] => members.map(({ subject }) => subject);

test('the registrar issues a standing of the services in force, signed by the root key', async (t) => {
  const fleet = await startFleet(t);
  const responder = await enrolMember(fleet, 'responder-1', 'responder');
  await enrolMember(fleet, 'detector-1', 'detector');
  const agent = await enrolMember(fleet, randomUUID(), 'agent');
  const standing = new FleetStanding(fleet.ca.root.publicKey);
  standing.add((await fetchStanding({ registrar: fleet.registrar.url }, agent.tls)) as Uint8Array);
  assert.equal(standing.state, 'current');
  assert.equal(standing.trustsKey(responder.signingKey.keyId, 'responder'), true);
  assert.equal(standing.trustsCertificate(responder.serial, 'responder'), true);
  assert.deepEqual(subjectsOf(decode('Standing', standing.bytes as Uint8Array)), ['detector-1', 'responder-1']);
});

test('a revoked service is missing in the next standing', async (t) => {
  const fleet = await startFleet(t);
  const agent = await enrolMember(fleet, randomUUID(), 'agent');
  await enrolMember(fleet, 'responder-1', 'responder');
  await enrolMember(fleet, 'responder-2', 'responder');
  const before = await standingOf(fleet, agent);
  await fleet.registrar.revoke('responder-2');
  const after = await standingOf(fleet, agent);
  assert.deepEqual([subjectsOf(before), subjectsOf(after)], [['responder-1', 'responder-2'], ['responder-1']]);
  assert.ok(after.version > before.version);
});

test('an enrolment and a renewal come with the standing, which names the new certificate', async (t) => {
  const fleet = await startFleet(t);
  const responder = await enrolMember(fleet, 'responder-1', 'responder');
  const directory = join(fleet.directory, 'responder-1');
  const stored = (): FleetStanding => new FleetStanding(responder.root, { path: standingPath(directory) });
  assert.equal(stored().trustsCertificate(responder.serial, 'responder'), true);
  const renewed = await renew({ registrar: fleet.registrar.url, directory });
  assert.notEqual(renewed.serial, responder.serial);
  assert.equal(stored().trustsCertificate(renewed.serial, 'responder'), true);
});

test('versions grow across restarts, also when the clock was set back, and each standing has its own time', async (t) => {
  const fleet = await startFleet(t);
  const agent = await enrolMember(fleet, randomUUID(), 'agent');
  const first = await standingOf(fleet, agent);
  const past = Date.now() - 3_600_000;
  const restarted = await fleet.start({}, () => past);
  const second = await standingOf(fleet, agent, restarted.url);
  assert.ok(second.version > first.version, `${second.version} after ${first.version}`);
  assert.equal(second.issuedAt, past * 1000);
});

test('without a certificate of the fleet there is no standing', async (t) => {
  const fleet = await startFleet(t);
  assert.equal(await statusWithoutCertificate(fleet), 401);
  const foreign = await startFleet(t);
  const stranger = await enrolMember(foreign, randomUUID(), 'agent');
  const tls = { ...stranger.tls, authority: fleet.ca.certificate };
  await assert.rejects(fetchStanding({ registrar: fleet.registrar.url }, tls), { reason: 'ERR_REGISTRAR_CERTIFICATE' });
});

async function statusWithoutCertificate({ registrar, ca }: Fleet): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(`${registrar.url}/standing`, { ca: ca.certificate, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', reject)
    .end();
  return promise;
}
