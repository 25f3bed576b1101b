import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSigningKey, encode, encodeSigned, UNSIGNED } from '@ringfence/wire';
import { FleetStanding, TrustedKeys } from '../src/index.ts';

const root = createSigningKey();
const START = 1_900_000_000_000_000;
const MINUTE = 60_000_000;

interface Draft {
  readonly version: number;
  readonly issuedAt: number;
  readonly members?: readonly [subject: string, role: string, keyId: string, serial: string][];
}

const draftOf = ({ version, issuedAt, members = [] }: Draft) => ({
  version,
  issuedAt,
  members: members.map(([subject, role, signingKeyId, serial]) => ({
    ...{ subject, role, signingKeyId },
    certificateSerials: [serial],
  })),
});

const standingOf = (draft: Draft, key = root): Buffer => encodeSigned('Standing', draftOf(draft), key);

test('a standing names the keys and certificates in force, by role', () => {
  const standing = new FleetStanding(root.publicKey, { now: () => START });
  assert.deepEqual([standing.state, standing.ageMs, standing.bytes], ['missing', null, null]);
  const members: Draft['members'] = [
    ['responder-1', 'auditor,responder', 'k1', 'aa'],
    ['detector-1', 'detector', 'k2', 'bb'],
  ];
  standing.add(standingOf({ version: 1, issuedAt: START, members }));
  assert.equal(standing.state, 'current');
  assert.deepEqual(
    ['k1', 'k2', 'k3'].map((keyId) => standing.trustsKey(keyId, 'responder')),
    [true, false, false],
  );
  assert.deepEqual(
    ['AA', 'aa', 'bb', ''].map((serial) => standing.trustsCertificate(serial, 'responder')),
    [true, true, false, false],
  );
});

test('a standing that is forged, unsigned, older or garbage changes nothing', () => {
  const standing = new FleetStanding(root.publicKey, { now: () => START });
  standing.add(standingOf({ version: 5, issuedAt: START }));
  const members: Draft['members'] = [['responder-1', 'responder', 'k1', 'aa']];
  const newer = { version: 9, issuedAt: START, members };
  standing.add(standingOf(newer, createSigningKey()));
  standing.add(encode('Standing', { ...draftOf(newer), ...UNSIGNED }));
  standing.add(encode('Standing', { ...draftOf(newer), ...UNSIGNED, keyId: root.keyId }));
  standing.add(Buffer.from('garbage'));
  standing.add(Buffer.alloc(1 << 20));
  assert.equal(standing.refused, 5);
  standing.add(standingOf({ ...newer, version: 4 }));
  assert.deepEqual([standing.version, standing.trustsKey('k1', 'responder')], [5, false]);
});

test('a standing ages by the clock, and by the time since its receipt when the clock is set back', (t) => {
  let now = START;
  const options = { maxAgeMs: 3_600_000, now: () => now, uptimeMs: () => now / 1000 };
  const standing = new FleetStanding(root.publicKey, options);
  const members: Draft['members'] = [['responder-1', 'responder', 'k1', 'aa']];
  standing.add(standingOf({ version: 1, issuedAt: START - 30 * MINUTE, members }));
  now += 29 * MINUTE;
  assert.equal(standing.trustsKey('k1', 'responder'), true);
  now += 2 * MINUTE;
  assert.deepEqual([standing.state, standing.trustsKey('k1', 'responder')], ['expired', false]);
  standing.add(standingOf({ version: 2, issuedAt: now, members }));
  assert.equal(standing.state, 'current');
  now -= 600 * MINUTE;
  const receivedMs = performance.now();
  t.mock.method(performance, 'now', () => receivedMs + 3_601_000);
  assert.equal(standing.state, 'expired');
});

test('a clock that root sets stops no kill, and keeps no standing young', () => {
  let [trueTime, error] = [START, 0];
  const now = (): number => trueTime + error;
  const start = (): FleetStanding =>
    new FleetStanding(root.publicKey, { now, uptimeMs: () => (trueTime - START) / 1000 + 1e9 });
  const members: Draft['members'] = [['responder-1', 'responder', 'k1', 'aa']];
  const standing = start();
  for (let version = 1; version <= 3; version++) {
    standing.add(standingOf({ version, issuedAt: trueTime, members }));
    for (const hours of [5, -5, 8760, -8760, 0]) {
      error = hours * 60 * MINUTE;
      assert.equal(standing.trustsKey('k1', 'responder'), true, `set by ${hours} h`);
    }
    trueTime += 30 * MINUTE;
  }
  trueTime += 31 * MINUTE;
  assert.equal(standing.state, 'expired');
  error = 5 * 60 * MINUTE;
  assert.equal(standing.state, 'expired', 'also when the clock is set forward');
  // The clock is behind at the start, and corrected once a standing has told the time.
  error = -5 * 60 * MINUTE;
  const late = start();
  late.add(standingOf({ version: 1, issuedAt: trueTime, members }));
  error = 0;
  trueTime += 61 * MINUTE;
  assert.equal(late.state, 'expired');
});

test('a trusted key needs its enrolment and a recent standing', () => {
  let now = START;
  const standing = new FleetStanding(root.publicKey, { now: () => now, uptimeMs: () => now / 1000 });
  const trusted = new TrustedKeys(root.publicKey, 'responder', standing, () => now);
  const key = createSigningKey();
  const publicKey = key.publicKey.export({ type: 'spki', format: 'der' });
  const enrolment = { subject: 'responder-1', role: 'responder', publicKey, signingKeyId: key.keyId };
  const base = { certificateSerials: ['aa'], issuedAt: START, revokedAt: 0, version: 1 };
  trusted.add(encodeSigned('Enrolment', { ...enrolment, ...base }, root));
  assert.deepEqual([trusted.get(key.keyId), trusted.trustsNobody], [undefined, true]);
  const members: Draft['members'] = [['responder-1', 'responder', key.keyId, 'aa']];
  standing.add(standingOf({ version: 1, issuedAt: START, members }));
  assert.equal(trusted.get(key.keyId)?.equals(key.publicKey), true);
  assert.equal(trusted.trustsNobody, false);
  // Revoked, which the sender of enrolments hides.
  standing.add(standingOf({ version: 2, issuedAt: START }));
  assert.deepEqual([trusted.get(key.keyId), trusted.trustsNobody], [undefined, false]);
  now += 61 * MINUTE;
  assert.equal(trusted.trustsNobody, true);
});

test('the newest standing survives a restart, and a registrar that denies it is not believed', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-standing-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'standing.avro');
  const options = { path, now: () => START };
  const fresh = new FleetStanding(root.publicKey, options);
  fresh.markUnsupported();
  assert.deepEqual([fresh.state, fresh.trustsKey('any', 'responder')], ['unsupported', true]);
  fresh.add(standingOf({ version: 3, issuedAt: START }));
  assert.deepEqual([fresh.state, fresh.trustsKey('any', 'responder')], ['current', false]);
  const restarted = new FleetStanding(root.publicKey, options);
  restarted.markUnsupported();
  restarted.add(standingOf({ version: 2, issuedAt: START }));
  assert.deepEqual([restarted.state, restarted.version], ['current', 3]);
  // Another program may have damaged the file.
  writeFileSync(path, 'garbage');
  assert.equal(new FleetStanding(root.publicKey, options).state, 'missing');
});
