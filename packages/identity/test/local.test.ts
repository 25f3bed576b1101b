import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createSigningKey, keyIdOf } from '@ringfence/wire';
import { loadLocalIdentity, loadSensorIdentity, pinRootKey } from '../src/local.ts';

test('a host keeps its id and keys, which nobody else may read', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-id-'));
  try {
    const first = loadLocalIdentity(join(dir, 'state'));
    const second = loadLocalIdentity(join(dir, 'state'));
    assert.match(first.hostId, /^[0-9a-f-]{36}$/);
    assert.equal(second.hostId, first.hostId);
    assert.equal(second.agentKey.keyId, first.agentKey.keyId);
    assert.notEqual(first.agentKey.keyId, first.responderKey.keyId);
    assert.equal(keyIdOf(first.enrolled.get(first.hostId) ?? assert.fail('not enrolled')), first.agentKey.keyId);
    assert.deepEqual([...first.trusted.keys()], [first.responderKey.keyId]);
    assert.equal(statSync(join(dir, 'state/keys/agent.pem')).mode & 0o777, 0o600);
    assert.equal(statSync(join(dir, 'state')).mode & 0o777, 0o700);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a sensor’s process keeps its key and the host id of its first start, and refuses another id', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-id-'));
  try {
    const hostId = randomUUID();
    const first = loadSensorIdentity(join(dir, 'state'), hostId);
    assert.equal(loadSensorIdentity(join(dir, 'state'), hostId).agentKey.keyId, first.agentKey.keyId);
    assert.equal(statSync(join(dir, 'state/keys/agent.pem')).mode & 0o777, 0o600);
    assert.throws(() => loadSensorIdentity(join(dir, 'state'), randomUUID()), /it belongs to host/);
    assert.throws(() => loadSensorIdentity(join(dir, 'other'), '../../etc/shadow'), /no UUID/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the root key of the first start is the only one that is trusted later', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-id-'));
  try {
    const { publicKey } = createSigningKey();
    pinRootKey(dir, publicKey);
    pinRootKey(dir, publicKey);
    assert.throws(
      () => pinRootKey(dir, createSigningKey().publicKey),
      /not the root key of the fleet.*remove .*fleet-root\.pem as root/,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a key is never written to a file that another process has open', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-id-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'state/keys'), { recursive: true });
  const leftover = join(dir, 'state/keys/agent.pem.new');
  writeFileSync(leftover, '', { mode: 0o666 });
  const spy = openSync(leftover, 'r');
  t.after(() => closeSync(spy));
  loadLocalIdentity(join(dir, 'state'));
  assert.equal(readFileSync(spy, 'utf8'), '');
  assert.equal(statSync(join(dir, 'state/keys/agent.pem')).mode & 0o777, 0o600);
});
