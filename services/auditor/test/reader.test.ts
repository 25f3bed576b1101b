import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createTestAlert, createTestIncident, EVIDENCE_WALL_OFFSET, evidenceEntity } from '@ringfence/synthetic';
import { type Alert, EventView, encode, KIND, TOPIC } from '@ringfence/wire';
import { AuditReader, createAuditPipeline, SqliteSink } from '../src/index.ts';
import { kindBit } from '../src/kind-bits.ts';
import { createTestBatch, createTestProcess, inRecord, openBody, tempDir } from './support.ts';
import { EVENTS_PER_BATCH, testTrail } from './trail.ts';

const BATCHES = 6;
const ALERTS = 4;

interface TestTrail extends AsyncDisposable {
  readonly reader: AuditReader;
  readonly add: (topic: string, value: Uint8Array) => Promise<void>;
}

/** Creates a trail that can be written while it is read. */
async function createTestTrail(dir: string): Promise<TestTrail> {
  const path = join(dir, 'audit.db');
  const sink = new SqliteSink({ path, maxBytes: 2 ** 30, eventRetentionMs: 1e12, synchronous: 'normal' });
  const pipeline = createAuditPipeline(sink);
  const offsets = new Map<string, number>();
  const nextRecord = (topic: string, value: Uint8Array | null) => {
    const offset = offsets.get(topic) ?? 0;
    offsets.set(topic, offset + 1);
    return inRecord(topic, offset, value);
  };
  await pipeline(testTrail(BATCHES, ALERTS).map(({ topic, value }) => nextRecord(topic, value)));
  const reader = new AuditReader(path);
  return {
    reader,
    add: async (topic, value) => {
      await pipeline([nextRecord(topic, value)]);
    },
    async [Symbol.asyncDispose]() {
      reader.close();
      await sink.close();
    },
  };
}

const sequences = (alerts: readonly Alert[]): number[] => alerts.map(({ ktime }) => ktime / 10);

suite('the reader', () => {
  test('returns the evidence of an incident with the hashes of its executables, which later batches have', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const hashed = createTestProcess(100, { sha256: Buffer.alloc(32, 7), hashState: 'hashed' });
    const opened = { process: 0, sequence: 9_000, body: openBody('/etc/passwd') };
    await trail.add(TOPIC.events, createTestBatch([createTestProcess(100)], [{ ...opened, sequence: 8_999 }]));
    await trail.add(TOPIC.events, createTestBatch([hashed], [opened]));
    const alert = createTestAlert(50);
    const incident = createTestIncident([alert], 1);
    const [process] = incident.processes;
    assert.ok(process);
    const processes = [{ ...process, entityId: evidenceEntity(100) }];
    await trail.add(TOPIC.incidents, encode('Incident', { ...incident, processes }));
    assert.deepEqual(trail.reader.evidence(incident.id)?.hashes, [
      { path: '/usr/bin/program-100', sha256: '07'.repeat(32) },
    ]);
    assert.equal(trail.reader.evidence('inc-unknown'), undefined);
  });

  test('lists the newest alerts, oldest first, filtered by time, host and predicate', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const { reader } = trail;
    assert.deepEqual(sequences(await Array.fromAsync(reader.alerts())), [0, 1, 2, 3]);
    assert.deepEqual(sequences(await Array.fromAsync(reader.alerts({ limit: 2 }))), [2, 3]);
    assert.deepEqual(sequences(await Array.fromAsync(reader.alerts({ limit: 0 }))), []);
    const from = EVIDENCE_WALL_OFFSET + 10;
    assert.deepEqual(sequences(await Array.fromAsync(reader.alerts({ from, to: from + 10 }))), [1, 2]);
    assert.deepEqual(
      sequences(await Array.fromAsync(reader.alerts({ limit: 1, where: ({ ktime }) => ktime < 20 }))),
      [1],
    );
    assert.deepEqual(sequences(await Array.fromAsync(reader.alerts({ hostId: 'another' }))), []);
  });

  test('follows records that another connection stores', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const alert of trail.reader.alerts({ limit: 1, follow: true, signal: stop.signal })) {
        seen.push(alert.ktime / 10);
        if (seen.length === 3) stop.abort();
      }
    })();
    await trail.add(TOPIC.alerts, encode('Alert', createTestAlert(50)));
    await trail.add(TOPIC.alerts, encode('Alert', createTestAlert(51)));
    await following;
    assert.deepEqual(seen, [3, 50, 51]);
  });

  test('lists the newest version of an incident, even when an older one arrives later', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    await trail.add(TOPIC.incidents, encode('Incident', createTestIncident([createTestAlert(0)], 0)));
    const incidents = await Array.fromAsync(trail.reader.incidents());
    assert.deepEqual(
      incidents.map(({ version }) => version),
      [ALERTS],
    );
    assert.equal(trail.reader.search('Version 4 of a shell').length, 1);
    assert.equal(trail.reader.search('"Version 3 of a shell"').length, 0, 'an old version is not searchable');
  });

  test('collects the records that belong to an incident', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const [incident] = await Array.fromAsync(trail.reader.incidents());
    const dossier = trail.reader.incident(incident?.id ?? '');
    assert.ok(dossier !== undefined);
    assert.equal(dossier.versions, ALERTS);
    assert.equal(dossier.alerts.length, ALERTS);
    assert.equal(dossier.commands.length, ALERTS);
    assert.equal(dossier.results.length, ALERTS);
    assert.equal(dossier.executions.length, 0, 'the process of the incident made no executions');
    assert.equal(trail.reader.incident('inc-none'), undefined);
  });

  test('finds the executions of the processes of an incident', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const alert = createTestAlert(900);
    const story = createTestIncident([alert], 1);
    const processes = [200, 203].map((pid) => ({
      ...story.processes[0],
      entityId: evidenceEntity(pid),
    })) as typeof story.processes;
    await trail.add(TOPIC.incidents, encode('Incident', { ...story, processes }));
    const view = new EventView();
    const executables = trail.reader.incident(story.id)?.executions.map((payload) => {
      view.open(payload);
      assert.ok(view.next());
      return [view.process?.executable, view.process?.parent?.executable];
    });
    assert.deepEqual(executables, [
      ['/usr/bin/program-200', '/usr/bin/program-100'],
      ['/usr/bin/program-203', '/usr/bin/program-100'],
    ]);
  });

  test('yields events by time, process and kind', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const count = (query: Parameters<AuditReader['events']>[0]) => [...trail.reader.events(query)].length;
    assert.equal(count({}), BATCHES * EVENTS_PER_BATCH);
    assert.equal(count({ entityId: evidenceEntity(203) }), EVENTS_PER_BATCH / 2);
    assert.equal(count({ entityId: evidenceEntity(9999) }), 0);
    assert.equal(count({ entityId: 'no id' }), 0);
    assert.equal(count({ eventKinds: kindBit(KIND.Exec) }), BATCHES);
    const from = EVIDENCE_WALL_OFFSET + 2 * 1000;
    assert.equal(count({ from, to: from + 999 }), EVENTS_PER_BATCH);
    assert.equal(count({ from: from + 500, to: from + 505, eventKinds: kindBit(KIND.Exec) }), 1);
    assert.equal(count({ hostId: 'another' }), 0);
  });

  test('searches outputs, arguments and paths', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const kinds = (text: string) => trail.reader.search(text).map(({ kind }) => kind);
    assert.deepEqual(kinds('/tmp/implant-3'), ['execution']);
    assert.deepEqual(kinds('c2-3.example'), ['execution']);
    assert.equal(kinds('--beacon').length, BATCHES);
    assert.equal(kinds('impl*').length, BATCHES);
    assert.equal(kinds('ring_full').length, BATCHES);
    assert.deepEqual(new Set(kinds('shell')), new Set(['alert', 'incident', 'command', 'result'].slice(0, 2)));
    for (const hostile of ['" OR 1', 'a" NEAR "b', '((', '*', '-- ; DROP TABLE records', 'text:x', '\0'])
      assert.doesNotThrow(() => /[\w]/.test(hostile) && trail.reader.search(hostile), hostile);
    assert.throws(() => trail.reader.search(' ( '), { code: 'ERR_AUDIT_QUERY' });
    assert.throws(() => trail.reader.search('a '.repeat(100)), { code: 'ERR_AUDIT_QUERY' });
  });

  test('reports what the trail contains, and that a trail is missing', async () => {
    using dir = tempDir();
    await using trail = await createTestTrail(dir.path);
    const { counts, events, dropped, fileBytes } = trail.reader.stats();
    assert.equal(counts.events, BATCHES);
    assert.equal(events, BATCHES * EVENTS_PER_BATCH);
    assert.deepEqual(dropped, []);
    assert.ok(fileBytes > 0);
    assert.throws(() => new AuditReader(join(dir.path, 'none.db')), { code: 'ERR_AUDIT_MISSING' });
  });
});
