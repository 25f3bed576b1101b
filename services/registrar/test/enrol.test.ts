import assert from 'node:assert/strict';
import { randomUUID, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createAuthority,
  createRequest,
  createToken,
  enrol,
  forgetSigningKey,
  type Identity,
  keepSigningKey,
  loadIdentity,
  renew,
} from '@ringfence/identity';
import { createSigningKey, type Role, signBytes } from '@ringfence/wire';
import { startFleet, temporary, until } from './support.ts';

const refused = (reason: string): object => ({ code: 'ERR_IDENTITY_REFUSED', reason });

test('a token is exchanged for a certificate and a key that services accept', async (t) => {
  const fleet = await startFleet(t);
  const hostId = randomUUID();
  const identity = await enrol(fleet.agent(hostId));
  assert.equal(identity.subject, hostId);
  assert.deepEqual(identity.roles, ['agent']);
  await until(fleet.enrolments, () => fleet.enrolments.isInForce(identity.serial));
  const { keyId, publicKey } = identity.signingKey;
  assert.equal(fleet.enrolments.keyFor(hostId)?.equals(publicKey), true);
  assert.equal(fleet.enrolments.key('agent', hostId, keyId)?.equals(publicKey), true);
  assert.equal(fleet.enrolments.trustedKeys('agent')(keyId)?.equals(publicKey), true);
  assert.equal(fleet.enrolments.trustedKeys('detector')(keyId), undefined, 'the key of an agent is not a detector key');
  assert.equal(fleet.enrolments.isRevoked(keyId), false);
  assert.equal(identity.root.equals(fleet.ca.root.publicKey), true);
  const directory = join(fleet.directory, hostId);
  for (const name of readdirSync(join(directory, 'current'))) {
    assert.equal(statSync(join(directory, 'current', name)).mode & 0o777, 0o600, name);
  }
  assert.equal(loadIdentity(directory)?.serial, identity.serial);
});

test('members get the state keys of their roles only, and agents get none', async (t) => {
  const fleet = await startFleet(t);
  const member = async (subject: string, roles: readonly Role[]): Promise<Identity> => {
    const token = fleet.registrar.createToken({ roles, subject });
    return enrol(fleet.agent(subject, { token, roles }));
  };
  const keysOf = ({ stateKeys }: Identity): object =>
    Object.fromEntries([...stateKeys].map(([role, key]) => [role, key.export().toString('hex')]));
  const [first, second] = [await member('enricher-1', ['enricher']), await member('enricher-2', ['enricher'])];
  const multiRole = await member('all-1', ['enricher', 'detector', 'auditor']);
  const enricher = fleet.ca.stateKey('enricher').toString('hex');
  assert.deepEqual(keysOf(first), { enricher });
  assert.deepEqual(keysOf(second), { enricher });
  const { auditor: _, ...stateful } = keysOf(multiRole) as Record<string, string>;
  assert.deepEqual(stateful, { enricher, detector: fleet.ca.stateKey('detector').toString('hex') });
  assert.notEqual(stateful.detector, enricher);
  assert.deepEqual(keysOf(await member(randomUUID(), ['agent'])), {});
  const renewed = await renew({ registrar: fleet.registrar.url, directory: join(fleet.directory, 'enricher-1') });
  assert.deepEqual(keysOf(renewed), { enricher });
});

test('of many concurrent requests with one token exactly one enrols', async (t) => {
  const fleet = await startFleet(t);
  const token = fleet.registrar.createToken({ roles: ['agent'] });
  const hosts = Array.from({ length: 12 }, () => randomUUID());
  const outcomes = await Promise.allSettled(hosts.map((host) => enrol(fleet.agent(host, { token }))));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'ERR_REGISTRAR_TOKEN');
  }
  assert.equal(hosts.filter((host) => fleet.enrolments.ofSubject(host).length > 0).length <= 1, true);
  await assert.rejects(enrol(fleet.agent(randomUUID(), { token })), refused('ERR_REGISTRAR_TOKEN'));
  assert.equal(fleet.registrar.stats().enrolled, 1);
});

test('refuses an expired, forged or mistyped token', async (t) => {
  const fleet = await startFleet(t);
  const clock = { ms: Date.now() };
  const registrar = await fleet.start({}, () => clock.ms);
  const token = registrar.createToken({ roles: ['agent'], ttlMs: 1000 });
  clock.ms += 1001;
  const late = enrol(fleet.agent(randomUUID(), { token, registrar: registrar.url }));
  await assert.rejects(late, refused('ERR_REGISTRAR_TOKEN'));
  const forged = createToken(fleet.ca.fingerprint);
  await assert.rejects(enrol(fleet.agent(randomUUID(), { token: forged })), refused('ERR_REGISTRAR_TOKEN'));
  await assert.rejects(enrol(fleet.agent(randomUUID(), { token: 'rft1.x.y' })), { code: 'ERR_IDENTITY_TOKEN' });
});

test('a request that the token does not allow is refused without spending it', async (t) => {
  const fleet = await startFleet(t);
  const [hostId, otherHostId] = [randomUUID(), randomUUID()];
  const token = fleet.registrar.createToken({ roles: ['agent'], subject: hostId });
  await assert.rejects(enrol(fleet.agent(otherHostId, { token })), refused('ERR_REGISTRAR_FORBIDDEN'));
  const asDetector = enrol(fleet.agent('detector-1', { token, roles: ['detector'] }));
  await assert.rejects(asDetector, refused('ERR_REGISTRAR_FORBIDDEN'));
  assert.equal((await enrol(fleet.agent(hostId, { token }))).subject, hostId);
  // The holder of a token for any subject must not replace an enrolled subject.
  const forAnyone = fleet.registrar.createToken({ roles: ['agent'] });
  await assert.rejects(enrol(fleet.agent(hostId, { token: forAnyone })), refused('ERR_REGISTRAR_TAKEN'));
});

test('refuses a request for another host, or without proof of the key', async (t) => {
  const fleet = await startFleet(t);
  const [hostId, otherHostId] = [randomUUID(), randomUUID()];
  const token = fleet.registrar.createToken({ roles: ['agent'], subject: hostId });
  const secret = token.split('.')[1];
  const key = createSigningKey();
  const signed = (csr: string): object => ({
    csr,
    signingPublicKey: key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    proof: signBytes(key, Buffer.from(csr)).toString('base64'),
  });
  const post = (body: object): Promise<{ status: number; code?: string }> =>
    postJson(fleet.registrar.url, fleet.ca.certificate, body);
  const { csr } = await createRequest(otherHostId);
  const base = { token: secret, subject: hostId, roles: ['agent'] };
  assert.equal((await post({ ...base, ...signed(csr) })).code, 'ERR_REGISTRAR_BAD_REQUEST');
  const good = (await createRequest(hostId)).csr;
  const stolen = createSigningKey().publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  assert.equal((await post({ ...base, ...signed(good), signingPublicKey: stolen })).status, 400);
  for (const bad of [
    good.replace(/[A-Z]{4}/, 'AAAA'),
    'x',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
  ]) {
    assert.equal((await post({ ...base, ...signed(bad) })).status, 400);
  }
  for (const body of [
    {},
    { ...base, ...signed(good), extra: 1 },
    { ...base, ...signed(good), roles: ['root'] },
    [],
    'x',
  ]) {
    assert.equal((await post(body as object)).status, 400);
  }
  assert.equal((await post({ ...base, csr: 'x'.repeat(20_000) })).status, 413);
  assert.equal((await post({ ...base, ...signed(good) })).status, 200, 'the refused requests did not spend the token');
});

test('a client refuses registrars of another fleet and servers that are not registrars', async (t) => {
  const fleet = await startFleet(t);
  const foreignFleet = await startFleet(t);
  const token = fleet.registrar.createToken({ roles: ['agent'] });
  const attempt = enrol(fleet.agent(randomUUID(), { token, registrar: foreignFleet.registrar.url }));
  await assert.rejects(attempt, { code: 'ERR_IDENTITY_REGISTRAR', message: /not the registrar of the token's fleet/ });

  // These servers present the real authority's certificate in their chain, but the first is issued by another authority
  // and the second has another role. Neither may receive the token.
  const requests: string[] = [];
  const impostor = async (hosts: string[], roles: ['responder'], authority: typeof fleet.ca): Promise<string> => {
    const { key, csr } = await createRequest('impostor');
    const { certificate } = await authority.issue({ csr, subject: 'impostor', roles, hosts, days: 1 });
    const server = createServer({ key, cert: certificate + fleet.ca.certificate }, (request) => {
      requests.push(request.url ?? '');
      request.socket.destroy();
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.on('listening', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const foreignAuthority = await createAuthority(join(temporary(t), 'ca'));
  for (const authority of [foreignAuthority, fleet.ca]) {
    const registrar = await impostor(['127.0.0.1'], ['responder'], authority);
    await assert.rejects(enrol(fleet.agent(randomUUID(), { token, registrar })), { code: 'ERR_IDENTITY_REGISTRAR' });
  }
  assert.deepEqual(requests, []);
  await enrol(fleet.agent(randomUUID(), { token }));
});

test('a renewal keeps subject, roles, names and key; a replaced key stays valid for a while', async (t) => {
  const fleet = await startFleet(t);
  const directory = join(fleet.directory, 'responder');
  const token = fleet.registrar.createToken({
    roles: ['responder', 'auditor'],
    hosts: ['127.0.0.1', 'responder.example'],
  });
  const first = await enrol({
    registrar: fleet.registrar.url,
    token,
    subject: 'responder-1',
    roles: ['auditor', 'responder'],
    directory,
  });
  const second = await renew({ registrar: fleet.registrar.url, directory });
  assert.notEqual(second.serial, first.serial);
  assert.equal(second.signingKey.keyId, first.signingKey.keyId);
  assert.deepEqual(second.roles, first.roles);
  const namesOf = ({ tls }: Identity): string | undefined => new X509Certificate(tls.certificate).subjectAltName;
  assert.match(
    namesOf(first) ?? '',
    /^IP Address:127\.0\.0\.1, DNS:responder\.example, URI:ringfence:root:[0-9a-f]{64}$/,
  );
  assert.equal(namesOf(second), namesOf(first));
  assert.match(readFileSync(join(directory, 'current', 'tls.pem'), 'utf8'), /BEGIN CERTIFICATE/);
  const third = await renew({ registrar: fleet.registrar.url, directory, newSigningKey: true });
  assert.notEqual(third.signingKey.keyId, first.signingKey.keyId);
  const { enrolments } = fleet;
  await until(
    enrolments,
    () =>
      enrolments.isInForce(third.serial) &&
      enrolments.ofSubject('responder-1').some((enrolment) => enrolment.revokedAt > 0),
  );
  const old = enrolments
    .ofSubject('responder-1')
    .find((enrolment) => enrolment.signingKeyId === first.signingKey.keyId);
  assert.deepEqual(old?.certificateSerials, [first.serial, second.serial]);
  const trusted = enrolments.trustedKeys('responder');
  assert.equal(trusted(first.signingKey.keyId)?.equals(first.signingKey.publicKey), true, 'for records in transit');
  const later = (old?.revokedAt ?? 0) + 1;
  assert.equal(trusted(first.signingKey.keyId, later), undefined);
  assert.equal(enrolments.key('responder', 'responder-1')?.equals(third.signingKey.publicKey), true, 'the newest key');
});

test('a revoked subject cannot renew, its keys are refused, and a token for it enrols new keys', async (t) => {
  const fleet = await startFleet(t);
  const { enrolments, registrar } = fleet;
  const hostId = randomUUID();
  const identity = await enrol(fleet.agent(hostId));
  const before = Date.now() * 1000 - 1;
  const { at: _, ...revocation } = await registrar.revoke(hostId);
  assert.deepEqual(revocation, { keys: 1, access: 'none', departure: 'not-awaited', roles: ['agent'] });
  await until(enrolments, () => enrolments.isRevoked(identity.serial));
  assert.equal(enrolments.isInForce(identity.serial), false);
  assert.equal(enrolments.isRevoked(identity.signingKey.keyId), true);
  assert.equal(enrolments.keyFor(hostId), undefined);
  assert.equal(
    enrolments.keyFor(hostId, identity.signingKey.keyId, before)?.equals(identity.signingKey.publicKey),
    true,
  );
  const directory = join(fleet.directory, hostId);
  await assert.rejects(renew({ registrar: registrar.url, directory }), refused('ERR_REGISTRAR_FORBIDDEN'));
  await assert.rejects(registrar.revoke(randomUUID()), { code: 'ERR_REGISTRAR_NOT_FOUND' });
  const reenrolled = await enrol(fleet.agent(hostId));
  await until(enrolments, () => enrolments.isInForce(reenrolled.serial));
  assert.equal(enrolments.keyFor(hostId)?.equals(reenrolled.signingKey.publicKey), true);
  assert.equal(enrolments.isRevoked(identity.serial), true);
});

test('blocks an address after repeated refusals', async (t) => {
  const fleet = await startFleet(t, { refusalsPerMinute: 3 });
  const forged = (): Promise<unknown> => enrol(fleet.agent(randomUUID(), { token: createToken(fleet.ca.fingerprint) }));
  for (let n = 0; n < 3; n++) await assert.rejects(forged, refused('ERR_REGISTRAR_TOKEN'));
  await assert.rejects(forged, refused('ERR_REGISTRAR_TOO_MANY'));
});

async function postJson(url: string, ca: string, body: object): Promise<{ status: number; code?: string }> {
  const { request } = await import('node:https');
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; code?: string }>();
  const outgoing = request(`${url}/enrol`, { method: 'POST', ca, agent: false }, async (response) => {
    let text = '';
    for await (const part of response) text += part;
    resolve({ status: response.statusCode ?? 0, ...JSON.parse(text) });
  });
  outgoing.on('error', reject);
  outgoing.end(JSON.stringify(body));
  return promise;
}

test('a certificate is renewed although another process keeps the signing key, which then is in no file of the identity', async (t) => {
  const fleet = await startFleet(t);
  const hostId = randomUUID();
  const directory = join(fleet.directory, hostId);
  const first = await enrol(fleet.agent(hostId));
  await renew({ registrar: fleet.registrar.url, directory });
  const kept = join(temporary(t), 'keys/fleet.pem');
  keepSigningKey(kept, first.signingKey);
  forgetSigningKey(directory, first.signingKey);
  const privateKeys = (): string[] =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('signing.key') && readFileSync(join(directory, name), 'utf8').includes('PRIVATE'),
    );
  assert.deepEqual(privateKeys(), []);
  await assert.rejects(renew({ registrar: fleet.registrar.url, directory }), /keeps the private signing key/);

  const key = keepSigningKey(kept, (loadIdentity(directory) ?? assert.fail()).signingKey);
  const prove = async (csr: string): Promise<Buffer> => signBytes(key, Buffer.from(csr));
  const renewed = await renew({ registrar: fleet.registrar.url, directory, prove });
  assert.equal(renewed.signingKey.keyId, first.signingKey.keyId);
  assert.deepEqual(privateKeys(), []);
  await until(fleet.enrolments, () => fleet.enrolments.isInForce(renewed.serial));
  rmSync(kept);
  assert.throws(() => keepSigningKey(kept, renewed.signingKey), /enrol again with a new token/);
});
