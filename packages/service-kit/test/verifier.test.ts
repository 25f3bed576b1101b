import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSigningKey, encodeSigned, type SigningKey } from '@ringfence/wire';
import { createVerifier, type Refusal } from '../src/verifier.ts';

interface TestRecord {
  readonly host: string;
  readonly value: Uint8Array | null;
}

class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

const RESULT = {
  id: 'c',
  hostId: 'h',
  outcome: 'executed',
  reason: '',
  executable: '/bin/sh',
  at: 1,
  children: 0,
  facts: {},
} as const;

const signed = (key: SigningKey | null): TestRecord => ({ host: 'h', value: encodeSigned('Result', RESULT, key) });

/** Returns the refusal of a call, or null when it is accepted. */
function refusalOf(call: () => unknown): Refusal | null {
  try {
    call();
    return null;
  } catch (error) {
    assert.ok(error instanceof RefusedError, String(error));
    return error.refusal;
  }
}

function createFixture(graceMs = 0) {
  const key = createSigningKey();
  const enrolled = new Map([[key.keyId, key.publicKey]]);
  const verifier = createVerifier<TestRecord>({
    keyFor: (_, keyId) => enrolled.get(keyId),
    refuse: (_, refusal) => new RefusedError(refusal),
    graceMs,
    graceName: ({ host }, keyId) => (keyId === '' ? null : `${host}/${keyId}`),
  });
  const refusal = (record: TestRecord) => refusalOf(() => verifier.verify(record, record.value!));
  return { key, enrolled, verifier, refusal };
}

describe('a verifier', () => {
  test('accepts a record of a known key, and refuses a wrong signature', () => {
    const { key, refusal } = createFixture();
    const record = signed(key);
    assert.equal(refusal(record), null);
    const forged = Buffer.from(record.value!);
    forged[forged.length - 1]! ^= 1;
    assert.deepEqual(refusal({ ...record, value: forged }), {
      reason: 'wrong-signature',
      keyId: key.keyId,
      fate: 'poison',
    });
  });

  test('refuses an unknown key as poison without a grace period, and as retriable within it', () => {
    const unknown = createSigningKey();
    const expected = { reason: 'unknown-key', keyId: unknown.keyId } as const;
    assert.deepEqual(createFixture().refusal(signed(unknown)), { ...expected, fate: 'poison' });
    const { refusal, enrolled } = createFixture(60_000);
    assert.deepEqual(refusal(signed(unknown)), { ...expected, fate: 'retriable' });
    enrolled.set(unknown.keyId, unknown.publicKey);
    assert.equal(refusal(signed(unknown)), null);
  });

  test('refuses an unsigned record as poison, because its key cannot be on its way', () => {
    const { refusal } = createFixture(60_000);
    assert.deepEqual(refusal(signed(null)), { reason: 'unknown-key', keyId: '', fate: 'poison' });
  });

  test('verifies a backlog ahead, and leaves invalid records to the step', async () => {
    const { key, verifier, refusal } = createFixture();
    const [valid, forged] = [signed(key), signed(key)];
    forged.value![forged.value!.length - 1]! ^= 1;
    const short = { host: 'h', value: Buffer.from([1, 2]) };
    await verifier.ahead([valid, forged, signed(createSigningKey()), short, { host: 'h', value: null }]);
    // A verified value is not verified again, even if its signature has become wrong.
    valid.value![valid.value!.length - 1]! ^= 1;
    assert.equal(refusal(valid), null);
    assert.equal(refusal(forged)?.reason, 'wrong-signature');
  });

  test('refuses a value that was verified ahead if its key was revoked since', async () => {
    const { key, enrolled, verifier, refusal } = createFixture();
    const record = signed(key);
    await verifier.ahead([record]);
    enrolled.delete(key.keyId);
    assert.equal(refusal(record)?.reason, 'unknown-key');
  });

  test('returns the key of a record, or throws the same error', () => {
    const { key, verifier } = createFixture();
    const record = signed(key);
    assert.equal(verifier.keyOf(record, key.keyId), key.publicKey);
    assert.equal(refusalOf(() => verifier.keyOf(record, 'no-such-key'))?.reason, 'unknown-key');
  });
});
