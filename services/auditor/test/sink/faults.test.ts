/** What a cluster can do to the sink, done to a real one. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fateOf } from '@ringfence/base';
import { createTestAlert, createTestIncident, EVIDENCE_HOST } from '@ringfence/testkit';
import { createSigningKey, decode, encode, encodeSigned, TOPIC } from '@ringfence/wire';
import { type AuditSink, createAuditPipeline } from '../../src/index.ts';
import { inRecord } from '../support.ts';
import { EVENTS_PER_BATCH, testBatch, testTrail } from '../trail.ts';
import type { ClusterStore } from './cluster.ts';
import { elasticsearch, type Flavour, openSearch } from './flavours.ts';
import { delivered, store, storeAnew } from './suite.ts';

const BATCHES = 6;
const ALERTS = 5;
const COUNTS = { alert: ALERTS, incident: ALERTS, command: ALERTS, result: ALERTS, gap: BATCHES, events: BATCHES };

const isRetriable = (error: unknown): boolean => fateOf(error) === 'retriable';

/** Everything once: chained, searched, and nothing amiss. */
async function assertWhole(of: ClusterStore): Promise<void> {
  assert.deepEqual(await of.counts(), COUNTS);
  const { problems, unfinished } = await of.verify();
  assert.deepEqual([problems, unfinished], [[], 0]);
  const ids = async (index: string) => (await of.search(index)).map(({ _id }) => _id).sort();
  for (const [index, count] of [
    [of.names.alerts, ALERTS],
    [of.names.actions, 2 * ALERTS],
    [of.names.incidents, 1],
    [of.names.events, 2 * BATCHES],
  ] as const) {
    const found = await ids(index);
    assert.equal(found.length, count, `${index}: ${found.join(' ')}`);
    assert.equal(new Set(found).size, found.length);
  }
}

for (const flavour of [elasticsearch, openSearch]) {
  if (flavour.skip === false) suite(`a cluster of ${flavour.name}`, () => faults(flavour));
  else suite(`a cluster of ${flavour.name}`, () => test('does its worst', { skip: flavour.skip }, () => {}));
}

function faults(flavour: Flavour): void {
  test('that rolls over between two deliveries: nothing is doubled', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const { alerts, actions, audit, events } = of.names;
    const rollAll = async () => {
      for (const stream of [alerts, actions, audit, events]) await of.rollover(stream);
    };
    const sink = of.open();
    await store(sink, delivered(testTrail(BATCHES, ALERTS)));
    await rollAll();
    await store(sink, delivered(testTrail(BATCHES, ALERTS), 500));
    await rollAll();
    await sink.close();
    await storeAnew(of, delivered(testTrail(BATCHES, ALERTS)));
    await assertWhole(of);
  });

  test('that rolls over within a batch that had to be tried again: nothing is doubled', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const records = delivered(testTrail(BATCHES, ALERTS));
    const sink = of.open();
    await store(sink, []);
    await of.settings(of.names.heads, { 'index.blocks.write': true });
    await assert.rejects(store(sink, records), isRetriable);
    for (const stream of [of.names.alerts, of.names.actions, of.names.audit, of.names.events])
      await of.rollover(stream);
    await of.settings(of.names.heads, { 'index.blocks.write': false });
    await store(sink, records);
    await sink.close();
    await assertWhole(of);
  });

  test('that took the records and not their heads: whoever comes next carries on, and verify tells what is unfinished', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const records = delivered(testTrail(BATCHES, ALERTS));
    const first = of.open();
    await store(first, records.slice(0, 4));
    await of.settings(of.names.heads, { 'index.blocks.write': true });
    await assert.rejects(store(first, records), isRetriable);
    await first.close();
    const halfway = await of.verify();
    assert.deepEqual(
      halfway.problems.filter(({ what }) => what !== 'added'),
      [],
    );
    assert.ok(halfway.unfinished > 0);
    // As if the bulk request had been taken in part.
    const gone = (await of.search(of.names.audit)).filter((_, i) => i % 3 === 1);
    for (const { _index, _id } of gone.filter(({ _source }) => seqOf(_source) > 4))
      await of.cluster.request('DELETE', `/${_index}/_doc/${encodeURIComponent(_id)}`);
    await of.settings(of.names.heads, { 'index.blocks.write': false });
    await storeAnew(of, records);
    await assertWhole(of);
  });

  for (const block of ['index.blocks.write', 'index.blocks.read_only_allow_delete', 'index.blocks.read_only']) {
    test(`with ${block}: the batch waits, and is stored when the block is lifted`, async () => {
      await using of = await flavour.open({ eventSample: 0 });
      const sink = of.open();
      await store(sink, []);
      for (const index of [of.names.alerts, of.names.audit]) {
        await of.settings(index, { [block]: true });
        await assert.rejects(store(sink, delivered(testTrail(BATCHES, ALERTS))), (error: Error) => {
          assert.match(error.message, /block/);
          return isRetriable(error);
        });
        await of.settings(index, { [block]: null });
      }
      await store(sink, delivered(testTrail(BATCHES, ALERTS)));
      await sink.close();
      await assertWhole(of);
    });
  }

  test('that can not read its heads: nothing is chained, and all is when they are back', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const trail = delivered(testTrail(BATCHES, ALERTS));
    const sink = of.open();
    const half = trail.length / 2;
    await store(sink, trail.slice(0, half));
    const before = await of.counts();
    await of.cluster.request('POST', `/${of.names.heads}/_close`);
    await assert.rejects(store(sink, trail.slice(half)), isRetriable);
    await of.cluster.request('POST', `/${of.names.heads}/_open`, { query: { wait_for_active_shards: 1 } });
    assert.deepEqual(await of.counts(), before);
    await store(sink, trail.slice(half));
    await sink.close();
    await assertWhole(of);
  });

  test('whose mapping conflicts: that document becomes a dead letter each time, all else is stored', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const template = {
      settings: { 'index.mapping.ignore_malformed': false },
      mappings: { dynamic: false, properties: { rule: { properties: { name: { type: 'long' } } } } },
    };
    // As someone left it who thought a newer version was theirs.
    const path = `/_component_template/${of.options.prefix}-ecs`;
    await of.cluster.request('PUT', path, { body: { version: 99, template } });
    const records = delivered(testTrail(BATCHES, ALERTS));
    const letters: Buffer[][] = [];
    for (const _ of ['first', 'by another process']) {
      const sink = of.open();
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
    assert.deepEqual(await of.counts(), COUNTS);
    assert.deepEqual((await of.verify()).problems, []);
    assert.equal((await of.search(of.names.actions)).length, 2 * ALERTS);
  });

  test('given hostile names and texts: stored, and no field is made of them', async () => {
    await using of = await flavour.open();
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
    const sink = of.open();
    await store(sink, [inRecord(TOPIC.alerts, 0, encode('Alert', alert))]);
    const long = { ...createTestAlert(2), id: 'i'.repeat(5000) };
    await store(sink, [inRecord(TOPIC.alerts, 1, encode('Alert', long))]);
    await sink.close();
    assert.equal((await of.search(of.names.alerts)).length, 2);
    assert.deepEqual((await of.verify()).problems, []);
    const { body } = await of.cluster.request<object>('GET', `/${of.names.alerts}/_mapping`);
    assert.doesNotMatch(JSON.stringify(body), /f149|__proto__|xxxx/);
  });

  test('that is given older versions of an incident: the newest is shown, all are kept', async () => {
    await using of = await flavour.open();
    const incident = (version: number) => encode('Incident', createTestIncident([createTestAlert(0)], version));
    await storeAnew(of, [inRecord(TOPIC.incidents, 0, incident(3)), inRecord(TOPIC.incidents, 1, incident(2))]);
    await storeAnew(of, [inRecord(TOPIC.incidents, 2, incident(1))]);
    const [shown, ...more] = await of.search(of.names.incidents);
    assert.equal(more.length, 0);
    assert.equal(shown?._source['ringfence.incident.version'], 3);
    assert.equal((await of.counts()).incident, 3);
  });

  test('is told whose signature is whose', async () => {
    await using of = await flavour.open();
    const key = createSigningKey();
    const { keyId: _, signature: __, ...alert } = createTestAlert(1);
    const signed = encodeSigned('Alert', alert, key);
    const forged = encodeSigned('Alert', { ...alert, id: 'forged' }, createSigningKey());
    const unsigned = encodeSigned('Alert', { ...alert, id: 'unsigned' }, null);
    const sink = of.open({ trusted: () => (keyId) => (keyId === key.keyId ? key.publicKey : undefined) });
    await store(
      sink,
      [signed, forged, unsigned].map((value, i) => inRecord(TOPIC.alerts, i, value)),
    );
    await sink.close();
    const found = await of.search(of.names.alerts);
    const verified = new Map(
      found.map(({ _source }) => [_source['event.id'], _source['ringfence.signature.verified']]),
    );
    assert.deepEqual([verified.get(alert.id), verified.get('forged'), verified.get('unsigned')], [true, false, false]);
  });

  test('gets the stated share of events: all, or executions and gaps alone', async () => {
    for (const [eventSample, perBatch] of [
      [0, 2],
      [1, EVENTS_PER_BATCH],
    ] as const) {
      await using of = await flavour.open({ eventSample });
      await storeAnew(of, [inRecord(TOPIC.events, 0, testBatch(1)), inRecord(TOPIC.events, 1, testBatch(2))]);
      const found = await of.search(of.names.events);
      assert.equal(found.length, 2 * perBatch);
      const [exec] = await of.search(of.names.events, { term: { 'process.args': 'c2-1.example' } });
      assert.equal(exec?._source['process.executable'], '/tmp/implant-1');
      assert.equal(exec?._source['host.id'], EVIDENCE_HOST);
    }
  });

  test('that two auditors write the same partition into at once: nothing is doubled, the chain is one', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const records = delivered(testTrail(BATCHES, ALERTS));
    const sinks = [of.open(), of.open(), of.open()];
    await Promise.all(sinks.map((sink) => insist(sink, records)));
    await Promise.all(sinks.map((sink) => sink.close()));
    await assertWhole(of);
  });

  test('that lets old indices go: what is gone from the beginning is retired, what is gone otherwise is missing', async () => {
    await using of = await flavour.open({ eventSample: 0 });
    const alerts = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) =>
        inRecord(TOPIC.alerts, from + i, encode('Alert', createTestAlert(from + i))),
      );
    const sink = of.open();
    await store(sink, alerts(0, 5));
    const early = await sink.heads();
    await of.rollover(of.names.audit);
    await store(sink, alerts(5, 10));
    const late = await sink.heads();
    await sink.close();
    const indices = [...new Set((await of.search(of.names.audit)).map(({ _index }) => _index))].sort();
    await of.cluster.request('DELETE', `/${indices[0]}`);
    const noted = [
      ...early.heads.map((head) => ({ ...head, at: 1 })),
      ...late.heads.map((head) => ({ ...head, at: Date.now() * 1000 + 1e9 })),
    ];
    const verified = await of.verify(noted);
    assert.deepEqual([verified.problems, verified.retired, verified.records], [[], 5, 5]);
    await of.tamper.remove([7]);
    assert.deepEqual(
      (await of.verify(noted)).problems.map(({ what, seq }) => [what, seq]),
      [['missing', 7]],
    );
  });

  test('in which someone puts what is no record, or takes a chain’s head: verify tells', async () => {
    await using of = await flavour.open();
    await storeAnew(of, delivered(testTrail(2, 4)));
    const body = { '@timestamp': new Date().toISOString(), message: 'nothing to see here' };
    await of.cluster.request('PUT', `/${of.names.audit}/_create/stranger`, { body });
    await of.cluster.request('DELETE', `/${of.names.heads}/_doc/${encodeURIComponent('ringfence.alerts/0')}`);
    const problems = (await of.verify()).problems.map(({ what, topic, count }) => [what, topic, count]);
    assert.deepEqual(problems, [
      ['added', TOPIC.alerts, 4],
      ['added', '', 1],
    ]);
  });

  test('whose first index is still there can have lost nothing to retention', async () => {
    await using of = await flavour.open();
    await storeAnew(of, delivered(testTrail(2, 4)));
    await of.tamper.remove([1, 2]);
    const problems = (await of.verify()).problems.map(({ what, seq, count }) => [what, seq, count]);
    assert.deepEqual(problems, [['missing', 1, 2]]);
  });

  test('of another kind is refused, with what to do', async () => {
    const of = await flavour.open({ flavour: flavour === openSearch ? 'elasticsearch' : 'opensearch' });
    const sink = of.open();
    await assert.rejects(store(sink, []), { code: 'ERR_AUDIT_CLUSTER_SETUP' });
    await sink.close();
    await of.cluster.close();
  });

  test('in which an index stands where a stream should be is refused, with what to do', async () => {
    await using of = await flavour.open();
    await of.cluster.request('PUT', `/${of.names.alerts}`, { expect: [400] });
    const sink = of.open();
    const { status } = await of.cluster.request('HEAD', `/${of.names.alerts}`, { expect: [404] });
    assert.equal(status, 200);
    await assert.rejects(store(sink, []), { code: 'ERR_AUDIT_CLUSTER_SETUP', message: /is no data stream/ });
    await sink.close();
    await of.cluster.request('DELETE', `/${of.names.alerts}`);
  });
}

function seqOf(source: Readonly<Record<string, unknown>>): number {
  return (source['ringfence'] as { audit: { seq: number } }).audit.seq;
}

/** As the pipeline does: again and again, as long as it is worth it. */
async function insist(sink: AuditSink, records: ReturnType<typeof delivered>): Promise<void> {
  for (;;) {
    try {
      return await store(sink, records);
    } catch (error) {
      if (!isRetriable(error)) throw error;
    }
  }
}
