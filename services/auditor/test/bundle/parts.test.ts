import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { encode, TOPIC } from '@ringfence/wire';
import { buildBundle, verifyBundle } from '../../src/bundle/index.ts';
import { LinkBudget } from '../../src/evidence.ts';
import { AuditReader, createAuditPipeline, SqliteSink } from '../../src/index.ts';
import { inRecord, tempDir } from '../support.ts';
import { createKeys, publishedHeads } from './support.ts';

test('records that are far apart make parts, and no more hashes are read than all parts may have', () => {
  const budget = new LinkBudget();
  assert.deepEqual(budget.partsOf([7, 5, 6000]), [
    { first: 5, last: 5007 },
    { first: 6000, last: 11_000 },
  ]);
  const many = Array.from({ length: 100 }, (_, n) => n * 10_000);
  const parts = budget.partsOf(many);
  assert.equal(parts.length, 100);
  assert.ok(parts.every(({ first, last }) => last >= first));
  assert.deepEqual(parts.at(-1), { first: 990_000, last: 990_000 });
});

test('an incident whose alerts are far apart is proved by the head behind each part', async () => {
  using directory = tempDir();
  const path = join(directory.path, 'audit.db');
  const sink = new SqliteSink({ path, maxBytes: 2 ** 27, eventRetentionMs: 1e12, synchronous: 'normal' });
  const store = createAuditPipeline(sink);
  const alerts = Array.from({ length: 5500 }, (_, n) => createTestAlert(n));
  const mine = [0, 5200].map((n) => alerts[n] ?? createTestAlert(n));
  const incident = createTestIncident(mine, 1);
  const heads = [];
  for (const [from, to] of [
    [0, 100],
    [100, 5500],
  ] as const) {
    await store(alerts.slice(from, to).map((alert, n) => inRecord(TOPIC.alerts, from + n, encode('Alert', alert))));
    const { trail, heads: grown } = await sink.heads();
    heads.push(...grown.map((head) => ({ ...head, trail })));
  }
  await store([inRecord(TOPIC.incidents, 0, encode('Incident', incident))]);
  await sink.close();
  using reader = new AuditReader(path);
  const evidence = reader.evidence(incident.id);
  assert.ok(evidence);
  const keys = createKeys();
  const signer = { key: keys.auditor, root: keys.root.publicKey, enrolment: keys.enrolment, hostId: 'h' };
  const bundle = buildBundle({ evidence, heads: publishedHeads(heads, keys), signer, now: 10 });
  const { problems, chains } = verifyBundle(bundle);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    chains.map(({ name, records, upTo }) => [name, records, upTo]),
    [
      ['ringfence.alerts/0 alert', 1, 'signed'],
      ['ringfence.alerts/0 alert', 1, 'signed'],
      ['ringfence.incidents/0 incident', 1, 'bundle'],
    ],
  );
});
