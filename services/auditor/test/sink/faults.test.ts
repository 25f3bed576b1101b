/** Faults of a cluster, provoked in a real one. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fateOf } from '@ringfence/base';
import { createTestAlert, createTestIncident, EVIDENCE_HOST } from '@ringfence/synthetic';
import { createSigningKey, decode, encode, encodeSigned, TOPIC } from '@ringfence/wire';
import { type AuditSink, createAuditPipeline } from '../../src/index.ts';
import { inRecord } from '../support.ts';
import { EVENTS_PER_BATCH, testBatch, testTrail } from '../trail.ts';
import type { ClusterStore } from './cluster.ts';
import { elasticsearch, type Flavour, openSearch } from './flavours.ts';
import { storeRecords, storeWithNewSink, toInRecords } from './suite.ts';

const BATCHES = 6;
const ALERTS = 5;
const COUNTS = { alert: ALERTS, incident: ALERTS, command: ALERTS, result: ALERTS, gap: BATCHES, events: BATCHES };

const isRetriable = (error: unknown): boolean => fateOf(error) === 'retriable';

/** Asserts that everything is stored exactly once, chained and searchable, without problems. */
async function assertComplete(store: ClusterStore): Promise<void> {
  assert.deepEqual(await store.counts(), COUNTS);
  const { problems, unfinished } = await store.verify();
  assert.deepEqual([problems, unfinished], [[], 0]);
  const ids = async (index: string) => (await store.search(index)).map(({ _id }) => _id).sort();
  for (const [index, count] of [
    [store.names.alerts, ALERTS],
    [store.names.actions, 2 * ALERTS],
    [store.names.incidents, 1],
    [store.names.events, 2 * BATCHES],
  ] as const) {
    const found = await ids(index);
    assert.equal(found.length, count, `${index}: ${found.join(' ')}`);
    assert.equal(new Set(found).size, found.length);
  }
}

for (const flavour of [elasticsearch, openSearch]) {
  if (flavour.skip === false) suite(`${flavour.name}: faults`, () => faults(flavour));
  else suite(`${flavour.name}: faults`, () => test('survives faults of the cluster', { skip: flavour.skip }, () => {}));
}

function faults(flavour: Flavour): void {
  test('a rollover between two deliveries duplicates nothing', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const { alerts, actions, audit, events } = store.names;
    const rollAll = async () => {
      for (const stream of [alerts, actions, audit, events]) await store.rollover(stream);
    };
    const sink = store.open();
    await storeRecords(sink, toInRecords(testTrail(BATCHES, ALERTS)));
    await rollAll();
    await storeRecords(sink, toInRecords(testTrail(BATCHES, ALERTS), 500));
    await rollAll();
    await sink.close();
    await storeWithNewSink(store, toInRecords(testTrail(BATCHES, ALERTS)));
    await assertComplete(store);
  });

  test('a rollover during a retried batch duplicates nothing', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const records = toInRecords(testTrail(BATCHES, ALERTS));
    const sink = store.open();
    await storeRecords(sink, []);
    await store.settings(store.names.heads, { 'index.blocks.write': true });
    await assert.rejects(storeRecords(sink, records), isRetriable);
    for (const stream of [store.names.alerts, store.names.actions, store.names.audit, store.names.events])
      await store.rollover(stream);
    await store.settings(store.names.heads, { 'index.blocks.write': false });
    await storeRecords(sink, records);
    await sink.close();
    await assertComplete(store);
  });

  test('the next auditor continues after records were stored without their heads, and verify counts them', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const records = toInRecords(testTrail(BATCHES, ALERTS));
    const first = store.open();
    await storeRecords(first, records.slice(0, 4));
    await store.settings(store.names.heads, { 'index.blocks.write': true });
    await assert.rejects(storeRecords(first, records), isRetriable);
    await first.close();
    const halfway = await store.verify();
    assert.deepEqual(
      halfway.problems.filter(({ type }) => type !== 'added'),
      [],
    );
    assert.ok(halfway.unfinished > 0);
    // As if only part of the bulk request was stored.
    const removed = (await store.search(store.names.audit)).filter((_, i) => i % 3 === 1);
    for (const { _index, _id } of removed.filter(({ _source }) => seqOf(_source) > 4))
      await store.cluster.request('DELETE', `/${_index}/_doc/${encodeURIComponent(_id)}`);
    await store.settings(store.names.heads, { 'index.blocks.write': false });
    await storeWithNewSink(store, records);
    await assertComplete(store);
  });

  for (const block of ['index.blocks.write', 'index.blocks.read_only_allow_delete', 'index.blocks.read_only']) {
    test(`with ${block} the batch is retried and stored when the block is removed`, async () => {
      await using store = await flavour.open({ eventSample: 0 });
      const sink = store.open();
      await storeRecords(sink, []);
      for (const index of [store.names.alerts, store.names.audit]) {
        await store.settings(index, { [block]: true });
        await assert.rejects(storeRecords(sink, toInRecords(testTrail(BATCHES, ALERTS))), (error: Error) => {
          assert.match(error.message, /block/);
          return isRetriable(error);
        });
        await store.settings(index, { [block]: null });
      }
      await storeRecords(sink, toInRecords(testTrail(BATCHES, ALERTS)));
      await sink.close();
      await assertComplete(store);
    });
  }

  test('nothing is chained while heads are unreadable, and everything is afterwards', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const records = toInRecords(testTrail(BATCHES, ALERTS));
    const sink = store.open();
    const half = records.length / 2;
    await storeRecords(sink, records.slice(0, half));
    const before = await store.counts();
    await store.cluster.request('POST', `/${store.names.heads}/_close`);
    await assert.rejects(storeRecords(sink, records.slice(half)), isRetriable);
    await store.cluster.request('POST', `/${store.names.heads}/_open`, { query: { wait_for_active_shards: 1 } });
    assert.deepEqual(await store.counts(), before);
    await storeRecords(sink, records.slice(half));
    await sink.close();
    await assertComplete(store);
  });

  test('a document with a conflicting mapping is dead-lettered each time, and the rest is stored', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const template = {
      settings: { 'index.mapping.ignore_malformed': false },
      mappings: { dynamic: false, properties: { rule: { properties: { name: { type: 'long' } } } } },
    };
    // As left behind by an operator who installed a higher version.
    const path = `/_component_template/${store.options.prefix}-ecs`;
    await store.cluster.request('PUT', path, { body: { version: 99, template } });
    const records = toInRecords(testTrail(BATCHES, ALERTS));
    const letters: Buffer[][] = [];
    for (const _ of ['first', 'by another process']) {
      const sink = store.open();
      for (const __ of ['once', 'again']) {
        const { outputs } = await createAuditPipeline(sink)(records);
        letters.push(outputs.map(({ value }) => Buffer.from(value ?? [])));
      }
      await sink.close();
    }
    for (const later of letters.slice(1)) assert.deepEqual(later, letters[0]);
    const refused = (letters[0] ?? []).map((letter) => decode('DeadLetter', letter));
    assert.equal(refused.length, ALERTS);
    assert.ok(refused.every(({ topic }) => topic === TOPIC.alerts));
    assert.ok(refused.every(({ code, reason }) => code === 'ERR_AUDIT_REJECTED' && reason.includes('rule.name')));
    assert.deepEqual(
      Buffer.from(refused[0]?.original ?? []),
      records.find(({ topic }) => topic === refused[0]?.topic)?.value,
    );
    assert.deepEqual(await store.counts(), COUNTS);
    assert.deepEqual((await store.verify()).problems, []);
    assert.equal((await store.search(store.names.actions)).length, 2 * ALERTS);
  });

  test('hostile names and texts are stored without creating fields', async () => {
    await using store = await flavour.open();
    const names = [
      '',
      '.',
      '..',
      'a.b',
      'a',
      '.a',
      'a.',
      '_id',
      '__proto__',
      'constructor',
      '\0',
      '\u202e',
      'x'.repeat(40_000),
      ' ',
    ];
    const fields = Object.fromEntries(
      [...names, ...Array.from({ length: 1500 }, (_, i) => `f${i}.${i}`)].map((name) => [name, 'v']),
    );
    const container = {
      cgroupId: Buffer.alloc(8),
      ...{ id: 'c'.repeat(50_000), runtime: 'docker', name: '\ud800 half', image: 'i', path: '/', privileged: null },
      labels: fields,
      ...{
        imageId: '',
        imageDigests: [],
        capabilities: null,
        mounts: [],
        namespaces: [],
        startedAt: 0,
        described: true,
      },
      ...{ pod: '', podUid: '', namespace: '', serviceAccount: '', podLabels: {} },
    };
    const alert = {
      ...createTestAlert(1),
      fields,
      container,
      output: 'o'.repeat(400_000),
      tags: names,
      rule: 'r'.repeat(40_000),
    };
    const sink = store.open();
    await storeRecords(sink, [inRecord(TOPIC.alerts, 0, encode('Alert', alert))]);
    const long = { ...createTestAlert(2), id: 'i'.repeat(5000) };
    await storeRecords(sink, [inRecord(TOPIC.alerts, 1, encode('Alert', long))]);
    await sink.close();
    assert.equal((await store.search(store.names.alerts)).length, 2);
    assert.deepEqual((await store.verify()).problems, []);
    const { body } = await store.cluster.request<object>('GET', `/${store.names.alerts}/_mapping`);
    assert.doesNotMatch(JSON.stringify(body), /f149|__proto__|xxxx/);
  });

  test('the newest version of an incident is shown, and all versions are kept', async () => {
    await using store = await flavour.open();
    const incident = (version: number) => encode('Incident', createTestIncident([createTestAlert(0)], version));
    await storeWithNewSink(store, [
      inRecord(TOPIC.incidents, 0, incident(3)),
      inRecord(TOPIC.incidents, 1, incident(2)),
    ]);
    await storeWithNewSink(store, [inRecord(TOPIC.incidents, 2, incident(1))]);
    const [document, ...more] = await store.search(store.names.incidents);
    assert.equal(more.length, 0);
    assert.equal(document?._source['ringfence.incident.version'], 3);
    assert.equal((await store.counts()).incident, 3);
  });

  test('documents contain whether the signature is valid', async () => {
    await using store = await flavour.open();
    const key = createSigningKey();
    const { keyId: _, signature: __, ...alert } = createTestAlert(1);
    const signed = encodeSigned('Alert', alert, key);
    const forged = encodeSigned('Alert', { ...alert, id: 'forged' }, createSigningKey());
    const unsigned = encodeSigned('Alert', { ...alert, id: 'unsigned' }, null);
    const sink = store.open({ trusted: () => (keyId) => (keyId === key.keyId ? key.publicKey : undefined) });
    await storeRecords(
      sink,
      [signed, forged, unsigned].map((value, i) => inRecord(TOPIC.alerts, i, value)),
    );
    await sink.close();
    const found = await store.search(store.names.alerts);
    const verified = new Map(
      found.map(({ _source }) => [_source['event.id'], _source['ringfence.signature.verified']]),
    );
    assert.deepEqual([verified.get(alert.id), verified.get('forged'), verified.get('unsigned')], [true, false, false]);
  });

  test('stores the configured share of events: all, or only executions and gaps', async () => {
    for (const [eventSample, perBatch] of [
      [0, 2],
      [1, EVENTS_PER_BATCH],
    ] as const) {
      await using store = await flavour.open({ eventSample });
      await storeWithNewSink(store, [inRecord(TOPIC.events, 0, testBatch(1)), inRecord(TOPIC.events, 1, testBatch(2))]);
      const found = await store.search(store.names.events);
      assert.equal(found.length, 2 * perBatch);
      const [exec] = await store.search(store.names.events, { term: { 'process.args': 'c2-1.example' } });
      assert.equal(exec?._source['process.executable'], '/tmp/implant-1');
      assert.equal(exec?._source['host.id'], EVIDENCE_HOST);
    }
  });

  test('concurrent auditors of one partition duplicate nothing and keep one chain', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const records = toInRecords(testTrail(BATCHES, ALERTS));
    const sinks = [store.open(), store.open(), store.open()];
    await Promise.all(sinks.map((sink) => storeWithRetries(sink, records)));
    await Promise.all(sinks.map((sink) => sink.close()));
    await assertComplete(store);
  });

  test('records of deleted indices count as retired, and other deleted records as missing', async () => {
    await using store = await flavour.open({ eventSample: 0 });
    const alerts = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) =>
        inRecord(TOPIC.alerts, from + i, encode('Alert', createTestAlert(from + i))),
      );
    const sink = store.open();
    await storeRecords(sink, alerts(0, 5));
    const early = await sink.heads();
    await store.rollover(store.names.audit);
    await storeRecords(sink, alerts(5, 10));
    const late = await sink.heads();
    await sink.close();
    const indices = [...new Set((await store.search(store.names.audit)).map(({ _index }) => _index))].sort();
    await store.cluster.request('DELETE', `/${indices[0]}`);
    const published = [
      ...early.heads.map((head) => ({ ...head, at: 1 })),
      ...late.heads.map((head) => ({ ...head, at: Date.now() * 1000 + 1e9 })),
    ];
    const verified = await store.verify(published);
    assert.deepEqual([verified.problems, verified.retired, verified.records], [[], 5, 5]);
    await store.tamper.remove([7]);
    assert.deepEqual(
      (await store.verify(published)).problems.map(({ type, seq }) => [type, seq]),
      [['missing', 7]],
    );
  });

  test('verify reports a foreign document and a deleted head', async () => {
    await using store = await flavour.open();
    await storeWithNewSink(store, toInRecords(testTrail(2, 4)));
    const body = { '@timestamp': new Date().toISOString(), message: 'nothing to see here' };
    await store.cluster.request('PUT', `/${store.names.audit}/_create/stranger`, { body });
    await store.cluster.request('DELETE', `/${store.names.heads}/_doc/${encodeURIComponent('ringfence.alerts/0')}`);
    const problems = (await store.verify()).problems.map(({ type, topic, count }) => [type, topic, count]);
    assert.deepEqual(problems, [
      ['added', TOPIC.alerts, 4],
      ['added', '', 1],
    ]);
  });

  test('no record counts as retired while the first index exists', async () => {
    await using store = await flavour.open();
    await storeWithNewSink(store, toInRecords(testTrail(2, 4)));
    await store.tamper.remove([1, 2]);
    const problems = (await store.verify()).problems.map(({ type, seq, count }) => [type, seq, count]);
    assert.deepEqual(problems, [['missing', 1, 2]]);
  });

  test('refuses a cluster of the other kind', async () => {
    const store = await flavour.open({ flavour: flavour === openSearch ? 'elasticsearch' : 'opensearch' });
    const sink = store.open();
    await assert.rejects(storeRecords(sink, []), { code: 'ERR_AUDIT_CLUSTER_SETUP' });
    await sink.close();
    await store.cluster.close();
  });

  test('refuses an index in place of a data stream', async () => {
    await using store = await flavour.open();
    await store.cluster.request('PUT', `/${store.names.alerts}`, { expectedStatuses: [400] });
    const sink = store.open();
    const { status } = await store.cluster.request('HEAD', `/${store.names.alerts}`, { expectedStatuses: [404] });
    assert.equal(status, 200);
    await assert.rejects(storeRecords(sink, []), { code: 'ERR_AUDIT_CLUSTER_SETUP', message: /not a data stream/ });
    await sink.close();
    await store.cluster.request('DELETE', `/${store.names.alerts}`);
  });
}

function seqOf(source: Readonly<Record<string, unknown>>): number {
  return (source['ringfence'] as { audit: { seq: number } }).audit.seq;
}

/** Retries like the pipeline, as long as the error is retriable. */
async function storeWithRetries(sink: AuditSink, records: ReturnType<typeof toInRecords>): Promise<void> {
  for (;;) {
    try {
      return await storeRecords(sink, records);
    } catch (error) {
      if (!isRetriable(error)) throw error;
    }
  }
}
