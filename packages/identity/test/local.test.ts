import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { keyIdOf } from '@ringfence/wire';
import { loadLocalIdentity } from '../src/local.ts';

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
