import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import {
  createHandover,
  createRequest,
  enrol,
  forgetSigningKey,
  HANDOVER_MAX_AGE_MS,
  type Identity,
  keepSigningKey,
  loadIdentity,
  renew,
} from '@ringfence/identity';
import { createSigningKey, type SigningKey, signBytes } from '@ringfence/wire';
import { type Fleet, startFleet, until } from './support.ts';

interface Answer {
  readonly status: number;
  readonly code?: string;
}

/** A renewal with the certificate of an identity, in which every field can be chosen. */
class Renewal {
  readonly #identity: Identity;
  readonly #csr: string;
  readonly #key: SigningKey;

  /** @param key signing key that is asked for */
  static async create(identity: Identity, key: SigningKey): Promise<Renewal> {
    return new Renewal(identity, (await createRequest(identity.subject)).csr, key);
  }

  private constructor(identity: Identity, csr: string, key: SigningKey) {
    this.#identity = identity;
    this.#csr = csr;
    this.#key = key;
  }

  get fields(): { readonly csr: string; readonly signingPublicKey: string; readonly proof: string } {
    const signingPublicKey = this.#key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    return { csr: this.#csr, signingPublicKey, proof: signBytes(this.#key, Buffer.from(this.#csr)).toString('base64') };
  }

  handover(signer: SigningKey, changes: { readonly subject?: string; readonly at?: number } = {}): object {
    const { subject = this.#identity.subject, at = Date.now() } = changes;
    return createHandover(signer, { subject, ...this.fields }, at);
  }

  async send(url: string, handover?: object): Promise<Answer> {
    const { authority: ca, certificate: cert, key } = this.#identity.tls;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = request(`${url}/renew`, { method: 'POST', ca, cert, key, agent: false }, async (response) => {
      let text = '';
      for await (const part of response) text += part;
      resolve({ status: response.statusCode ?? 0, ...JSON.parse(text) });
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ ...this.fields, ...(handover === undefined ? {} : { handover }) }));
    return promise;
  }
}

interface SplitAgent {
  readonly identity: Identity;
  readonly directory: string;
  /** Private signing key, which only the sensor's process has. */
  readonly kept: SigningKey;
}

/** An agent of two users: its services' process has all files of the identity but the private signing key. */
async function enrolSplitAgent(fleet: Fleet): Promise<SplitAgent> {
  const hostId = randomUUID();
  const directory = join(fleet.directory, hostId);
  const { signingKey } = await enrol(fleet.agent(hostId));
  const kept = keepSigningKey(join(fleet.directory, 'sensor/keys/fleet.pem'), signingKey);
  forgetSigningKey(directory, signingKey);
  return { identity: loadIdentity(directory) ?? assert.fail(), directory, kept };
}

const unproven = { status: 403, code: 'ERR_REGISTRAR_UNPROVEN' };

function assertRefused({ status, code }: Answer): void {
  assert.deepEqual({ status, code }, unproven);
}

test('code that has the files of the services’ process of an agent can enrol no other signing key for its host', async (t) => {
  const logged: object[] = [];
  const log = { ...silentLog, warn: (facts: object, message: string) => void logged.push({ ...facts, message }) };
  const fleet = await startFleet(t, {}, log);
  const { identity, directory, kept } = await enrolSplitAgent(fleet);
  const { subject: hostId } = identity;
  const url = fleet.registrar.url;
  const own = createSigningKey();
  const renewal = await Renewal.create(identity, own);

  await t.test('with no consent, its own, or that of another host', async () => {
    assertRefused(await renewal.send(url));
    assertRefused(await renewal.send(url, renewal.handover(own)));
    const neighbour = await enrol(fleet.agent(randomUUID()));
    assertRefused(await renewal.send(url, renewal.handover(neighbour.signingKey)));
    assert.throws(() => renewal.handover(identity.signingKey), /keeps the private signing key/);
  });

  await t.test('with what the sensor’s process signs for it, which is certificate requests', async () => {
    const signature = signBytes(kept, Buffer.from(renewal.fields.csr)).toString('base64');
    assertRefused(await renewal.send(url, { at: Date.now(), signature }));
  });

  await t.test('each attempt is counted, and logged with the host, its key and the other key', () => {
    const count = fleet.registrar.stats().refusals.ERR_REGISTRAR_UNPROVEN;
    assert.equal(count, 4);
    const lines = logged.filter((line) => 'code' in line && line.code === unproven.code);
    assert.equal(lines.length, count);
    for (const line of lines) {
      const { subject, requestedKey, enrolledKeys, remote, path } = line as Record<string, unknown>;
      assert.deepEqual(
        { subject, requestedKey, enrolledKeys, remote, path },
        { subject: hostId, requestedKey: own.keyId, enrolledKeys: [kept.keyId], remote: '127.0.0.1', path: '/renew' },
      );
    }
  });

  await t.test('and the host keeps its key, with which it renews its certificate as before', async () => {
    const prove = async (csr: string): Promise<Buffer> => signBytes(kept, Buffer.from(csr));
    const renewed = await renew({ registrar: url, directory, prove });
    assert.equal(renewed.signingKey.keyId, kept.keyId);
    await until(fleet.enrolments, () => fleet.enrolments.isInForce(renewed.serial));
    const keys = fleet.enrolments.ofSubject(hostId).map(({ signingKeyId, revokedAt }) => ({ signingKeyId, revokedAt }));
    assert.deepEqual(keys, [{ signingKeyId: kept.keyId, revokedAt: 0 }]);
  });
});

test('the owner of the enrolled key replaces it, once and in time', async (t) => {
  const fleet = await startFleet(t);
  const { url } = fleet.registrar;
  const { identity, kept } = await enrolSplitAgent(fleet);
  const next = createSigningKey();
  const renewal = await Renewal.create(identity, next);
  const lateBy = HANDOVER_MAX_AGE_MS + 60_000;
  for (const at of [Date.now() - lateBy, Date.now() + lateBy])
    assertRefused(await renewal.send(url, renewal.handover(kept, { at })));
  assertRefused(await renewal.send(url, renewal.handover(kept, { subject: randomUUID() })));
  const handover = renewal.handover(kept);
  const diverted = await Renewal.create(identity, createSigningKey());
  assertRefused(await diverted.send(url, handover));

  assert.equal((await renewal.send(url, handover)).status, 200);
  const { subject } = identity;
  await until(fleet.enrolments, () => fleet.enrolments.keyFor(subject)?.equals(next.publicKey) === true);
  t.diagnostic('the replaced key has no say any more, although records of it are still accepted for a while');
  const third = await Renewal.create(identity, createSigningKey());
  assertRefused(await third.send(url, third.handover(kept)));
  assert.equal(fleet.enrolments.keyFor(subject, kept.keyId)?.equals(kept.publicKey), true);
  assert.equal((await third.send(url, third.handover(next))).status, 200);
});

test('without the enrolled key, only a token for the host replaces it', async (t) => {
  const fleet = await startFleet(t);
  const { identity, directory } = await enrolSplitAgent(fleet);
  const { subject } = identity;
  const anyone = fleet.registrar.createToken({ roles: ['agent'] });
  await assert.rejects(enrol(fleet.agent(subject, { token: anyone })), { reason: 'ERR_REGISTRAR_TAKEN' });
  await assert.rejects(renew({ registrar: fleet.registrar.url, directory, newSigningKey: true }), {
    code: 'ERR_IDENTITY_FILES',
  });
  const again = await enrol(fleet.agent(subject));
  await until(fleet.enrolments, () => fleet.enrolments.keyFor(subject)?.equals(again.signingKey.publicKey) === true);
  t.diagnostic('the certificate of before it can’t bring another key back');
  const renewal = await Renewal.create(identity, createSigningKey());
  assertRefused(await renewal.send(fleet.registrar.url));
});
