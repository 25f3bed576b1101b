import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, RawBatchReader, verifyRecord } from '@ringfence/wire';
import { createSyntheticHost, O } from '../src/index.ts';

test('a synthetic host signs batches that decode, verify and number their events', () => {
  const host = createSyntheticHost();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  const sh = host.spawn(host.init, '/bin/sh', ['sh', '-c', 'id']);
  host.open(sh, '/etc/passwd', O.RDONLY);
  host.connect(sh, '10.0.0.1', 443);
  host.connect(sh, '/run/x.sock');
  host.credentials(sh, 1000);
  host.exit(sh);
  host.user(0, 'root');
  host.container({ cgroup: 7n });
  host.mount('/');
  host.tick();
  const batch = host.batch();
  assert.ok(verifyRecord(host.key.publicKey, batch));
  const decoded = decode('RawBatch', batch);
  assert.equal(decoded.events.length, 12);
  const reader = new RawBatchReader();
  reader.open(batch);
  const seen: string[] = [];
  while (reader.next()) seen.push(`${reader.cursor.lane}/${reader.cursor.sequence}`);
  assert.deepEqual(seen, ['17/1', '0/1', '0/2', '1/1', '0/3', '0/4', '0/5', '0/6', '17/2', '17/3', '17/4', '16/1']);
  assert.equal(host.count, 0);
});

test('dropped records leave a gap in the sequence and are counted', () => {
  const host = createSyntheticHost();
  const process = host.fork();
  host.drop(0, 3);
  host.exit(process);
  const { events, lanes } = decode('RawBatch', host.batch());
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 5],
  );
  assert.deepEqual(
    lanes.map((lane) => ({ ...lane })),
    [{ lane: 0, cpu: 0, sequence: 5, drops: { ring_full: 3 } }],
  );
});
