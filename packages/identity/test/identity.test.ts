import assert from 'node:assert/strict';
import { randomUUID, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkServerIdentity } from 'node:tls';
import { createSigningKey, fingerprintOf, type Role } from '@ringfence/wire';
import {
  type Authority,
  createAuthority,
  createRequest,
  createToken,
  identityPaths,
  loadIdentity,
  openAuthority,
  parseRoles,
  parseToken,
  type TlsMaterial,
  watchCertificates,
  writeIdentity,
} from '../src/index.ts';

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rf-identity-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function material(ca: Authority, subject: string, roles: readonly Role[] = ['agent']): Promise<TlsMaterial> {
  const { key, csr } = await createRequest(subject);
  const { certificate } = await ca.issue({ csr, subject, roles, days: 1 });
  return { certificate, key, authority: ca.certificate };
}

function write(directory: string, ca: Authority, tls: TlsMaterial): void {
  const signingKey = createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const root = ca.root.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeIdentity(directory, { ...tls, signingKey, root, stateKeys: '{}' });
}

test('creates an authority once and opens it again; only the owner may read its files', async (t) => {
  const directory = join(temporary(t), 'ca');
  const created = await createAuthority(directory);
  const opened = await openAuthority(directory);
  assert.deepEqual(opened.fingerprint, created.fingerprint);
  assert.equal(opened.root.keyId, created.root.keyId);
  for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);
  await assert.rejects(createAuthority(directory), { code: 'ERR_IDENTITY_AUTHORITY' });
});

test('refuses to open an authority that is incomplete, mismatched or readable by other users', async (t) => {
  const [directory, foreign] = [join(temporary(t), 'ca'), join(temporary(t), 'ca')];
  await createAuthority(directory);
  await createAuthority(foreign);
  chmodSync(join(directory, 'root.key'), 0o640);
  await assert.rejects(openAuthority(directory), { code: 'ERR_IDENTITY_FILES', message: /root\.key.*chmod 600/ });
  chmodSync(join(directory, 'root.key'), 0o600);
  for (const name of ['ca.key', 'root.key', 'ca.pem', 'root.pem']) {
    const text = readFileSync(join(directory, name));
    writeFileSync(join(directory, name), readFileSync(join(foreign, name)));
    await assert.rejects(openAuthority(directory), { code: 'ERR_IDENTITY_AUTHORITY' }, name);
    writeFileSync(join(directory, name), 'garbage');
    await assert.rejects(openAuthority(directory), { code: 'ERR_IDENTITY_AUTHORITY' }, name);
    rmSync(join(directory, name));
    await assert.rejects(openAuthority(directory), { code: 'ERR_IDENTITY_FILES' }, name);
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  }
  await openAuthority(directory);
});

test('issues a certificate only for the CN of the request and for well-formed names', async (t) => {
  const ca = await createAuthority(join(temporary(t), 'ca'));
  const { csr } = await createRequest('detector-1');
  const issue = (subject: string, roles: readonly Role[], hosts: readonly string[] = []): Promise<unknown> =>
    ca.issue({ csr, subject, roles, hosts, days: 1 });
  const refused = { code: 'ERR_IDENTITY_REQUEST' };
  await assert.rejects(issue('detector-2', ['detector']), refused);
  await assert.rejects(issue('detector-1', ['agent']), refused, 'the subject of an agent must be a host id');
  await assert.rejects(issue('../x', ['detector']), refused);
  await assert.rejects(
    issue(randomUUID(), ['detector']),
    refused,
    'the name of a service must not look like a host id',
  );
  await assert.rejects(issue('detector-1', ['detector'], ['a b']), refused);
  await assert.rejects(issue('detector-1', ['detector'], Array(17).fill('a')), refused);
  await issue('detector-1', ['detector'], ['detector.example', '10.0.0.1', '::1']);
  assert.throws(() => parseRoles('detector,root'), refused);
  assert.throws(() => parseRoles('agent,detector'), refused);
  assert.deepEqual(parseRoles('detector,auditor,detector'), ['auditor', 'detector']);
});

test('parses a created token, and never shows the token in an error message', () => {
  const fingerprint = Buffer.alloc(32, 7);
  const token = createToken(fingerprint);
  assert.deepEqual(parseToken(` ${token}\n`).authority, fingerprint);
  assert.notEqual(createToken(fingerprint), token);
  for (const bad of ['', 'rft2.a.b', token.slice(1), `${token}x`, token.replace('.', ',')]) {
    assert.throws(
      () => parseToken(bad),
      (error: Error) =>
        'code' in error && error.code === 'ERR_IDENTITY_TOKEN' && !error.message.includes(token.slice(5, 40)),
    );
  }
});

test('replaces an identity atomically, keeps two generations and ignores the remains of a crash', async (t) => {
  const root = temporary(t);
  const directory = join(root, 'identity');
  const ca = await createAuthority(join(root, 'ca'));
  const hostId = randomUUID();
  assert.equal(loadIdentity(directory), null);
  const serials: (string | undefined)[] = [];
  for (let round = 0; round < 4; round++) {
    write(directory, ca, await material(ca, hostId));
    serials.push(loadIdentity(directory)?.serial);
  }
  assert.equal(new Set(serials).size, 4);
  assert.deepEqual(readdirSync(directory).sort(), ['000003', '000004', 'current']);
  // A crash before the rename leaves this link behind.
  writeFileSync(join(directory, 'current.new'), '');
  assert.equal(loadIdentity(directory)?.serial, serials[3]);
  write(directory, ca, await material(ca, hostId));
  assert.deepEqual(readdirSync(directory).sort(), ['000004', '000005', 'current']);
});

test('refuses an identity that other users may read or whose files do not match', async (t) => {
  const root = temporary(t);
  const directory = join(root, 'identity');
  const [ca, foreign] = [await createAuthority(join(root, 'ca')), await createAuthority(join(root, 'foreign'))];
  const tls = await material(ca, randomUUID());
  const bad = { code: 'ERR_IDENTITY_FILES' };
  write(directory, ca, { ...tls, authority: foreign.certificate });
  assert.throws(() => loadIdentity(directory), bad);
  write(directory, ca, { ...tls, key: (await createRequest('x')).key });
  assert.throws(() => loadIdentity(directory), bad);
  write(directory, ca, { ...tls, certificate: 'garbage' });
  assert.throws(() => loadIdentity(directory), bad);
  write(directory, ca, tls);
  chmodSync(join(directory, 'current', 'tls.key'), 0o644);
  assert.throws(() => loadIdentity(directory), { ...bad, message: /chmod 600/ });
});

test('switches to changed certificates once key and certificate match', async (t) => {
  const root = temporary(t);
  const directory = join(root, 'identity');
  const ca = await createAuthority(join(root, 'ca'));
  const hostId = randomUUID();
  write(directory, ca, await material(ca, hostId));
  const errors: string[] = [];
  using watch = watchCertificates(identityPaths(directory), {
    intervalMs: 3_600_000,
    onError: (text) => errors.push(text),
  });
  let changes = 0;
  using _ = watch.onChange(() => void changes++);
  const first = watch.current();
  watch.check();
  assert.equal(changes, 0);
  const next = await material(ca, hostId);
  const { certificate, key } = identityPaths(directory);
  writeFileSync(certificate, next.certificate);
  watch.check();
  assert.deepEqual([watch.current(), changes, errors.length], [first, 0, 1]);
  writeFileSync(key, next.key);
  watch.check();
  assert.deepEqual([watch.current(), changes, errors.length], [next, 1, 1]);
  rmSync(key);
  watch.check();
  assert.deepEqual([watch.current(), changes, errors.length], [next, 1, 2]);
});

test('with the fingerprint of the root key in the settings, a root.pem that was overwritten is refused', async (t) => {
  const [directory, path] = [temporary(t), temporary(t)];
  const ca = await createAuthority(join(directory, 'ca'));
  write(path, ca, await material(ca, randomUUID()));
  const rootKey = fingerprintOf(ca.root.publicKey);
  assert.ok(loadIdentity(path, rootKey)?.root.equals(ca.root.publicKey));
  const made = createSigningKey().publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeFileSync(join(path, 'current/root.pem'), made);
  assert.throws(() => loadIdentity(path, rootKey), {
    code: 'ERR_IDENTITY_FILES',
    message: new RegExp(`root\\.pem has the fingerprint [0-9a-f]{64}, but identity\\.rootKey is ${rootKey}`),
  });
});

test('a certificate names the root key of its fleet, so a root.pem that was overwritten is refused without a setting', async (t) => {
  const [directory, path] = [temporary(t), temporary(t)];
  const ca = await createAuthority(join(directory, 'ca'));
  const made = createSigningKey().publicKey.export({ type: 'spki', format: 'pem' }).toString();
  for (const [subject, roles] of [
    [randomUUID(), ['agent']],
    ['detector-1', ['auditor', 'detector']],
  ] as const) {
    write(path, ca, await material(ca, subject, roles));
    assert.ok(loadIdentity(path)?.root.equals(ca.root.publicKey));
    writeFileSync(join(path, 'current/root.pem'), made);
    assert.throws(() => loadIdentity(path), {
      code: 'ERR_IDENTITY_FILES',
      message: /root\.pem has the fingerprint [0-9a-f]{64}, but tls\.pem names another root key/,
    });
  }
  t.diagnostic('a certificate without the name is one of a broker, or of an authority of 0.1.0');
  write(path, ca, await material(ca, 'kafka-1', []));
  writeFileSync(join(path, 'current/root.pem'), made);
  assert.ok(loadIdentity(path) !== null);
});

test('the name of the root key changes nothing for a client that checks the names of a server', async (t) => {
  const ca = await createAuthority(join(temporary(t), 'ca'));
  const { csr } = await createRequest('responder-1');
  const issue = async (hosts: readonly string[]): Promise<X509Certificate> => {
    const { certificate } = await ca.issue({ csr, subject: 'responder-1', roles: ['responder'], hosts, days: 1 });
    return new X509Certificate(certificate);
  };
  const server = await issue(['responder.example', '10.0.0.1']);
  assert.equal(server.checkHost('responder.example'), 'responder.example');
  assert.equal(server.checkIP('10.0.0.1'), '10.0.0.1');
  assert.equal(server.checkHost('other.example'), undefined);
  assert.equal(checkServerIdentity('responder.example', server.toLegacyObject()), undefined);
  assert.equal(checkServerIdentity('10.0.0.1', server.toLegacyObject()), undefined);
  assert.ok(checkServerIdentity('other.example', server.toLegacyObject()) instanceof Error);
});
