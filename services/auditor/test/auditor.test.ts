import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@ringfence/base';
import { type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import { createTestAlert, EVIDENCE_HOST } from '@ringfence/synthetic';
import { encode, FRAME_BYTES, learnSchema, portableSchema, SIGNATURE_BYTES, TOPIC, topicsWith } from '@ringfence/wire';
import Database from 'better-sqlite3';
import { type Auditor, AuditReader, startAuditor } from '../src/index.ts';
import { tempDir } from './support.ts';
import { testTrail } from './trail.ts';

/** Enough for several polls. */
const BATCHES = 160;
const ALERTS = 20;
const EXPECTED_COUNTS = {
  alert: 20,
  incident: 20,
  command: 20,
  result: 20,
  gap: 160,
  execution: 160,
  events: 160,
  dlq: 0,
  enrolment: 0,
  operator: 0,
  held: 0,
};

async function createFilledBus(dir: string): Promise<EmbeddedBus> {
  const bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
  await bus.ensureTopics(topicsWith(1));
  await bus.produce(testTrail(BATCHES, ALERTS));
  return bus;
}

/** Waits until the auditor has committed everything, then closes auditor and bus. */
async function drainAndClose(bus: EmbeddedBus, auditor: Auditor): Promise<void> {
  const isBehind = async () => [...(await bus.lag('auditor')).values()].some((records) => records > 0);
  while (await isBehind()) await Promise.race([auditor.done, sleep(5)]);
  await auditor.close();
  await bus.close();
}

/** Returns a hash of the whole contents of the trail. */
function digest(path: string): string {
  const db = new Database(path, { readonly: true });
  const hash = createHash('sha256');
  for (const table of ['chains', 'records', 'entities', 'causes', 'incidents', 'drops']) {
    const rows = db.prepare(`SELECT * FROM ${table}`).raw().all();
    hash.update(table).update(JSON.stringify(rows));
  }
  db.close();
  return hash.digest('hex');
}

suite('the auditor', () => {
  test('stores everything once, and a full redelivery changes nothing', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await createFilledBus(dir.path);
    await drainAndClose(bus, await startAuditor({ options: { path }, bus, log: silentLog }));
    const before = digest(path);
    {
      using reader = new AuditReader(path);
      assert.deepEqual(reader.stats().counts, EXPECTED_COUNTS);
      assert.equal(reader.verify().problemCount, 0);
    }

    // A redelivery at the same offsets, as after a crash before the commit: from a new bus with the same records.
    {
      using secondDir = tempDir();
      const secondBus = await createFilledBus(secondDir.path);
      await drainAndClose(secondBus, await startAuditor({ options: { path }, bus: secondBus, log: silentLog }));
      assert.equal(digest(path), before);
    }

    // The same records at new offsets, as from a producer that retried.
    const reopenedBus = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
    await reopenedBus.produce(testTrail(BATCHES, ALERTS));
    const auditor = await startAuditor({ options: { path }, bus: reopenedBus, log: silentLog });
    await drainAndClose(reopenedBus, auditor);
    assert.equal(digest(path), before);
    const { duplicates, conflicts, missed } = auditor.stats();
    assert.deepEqual(
      { duplicates, conflicts, missed },
      { duplicates: BATCHES * 3 + ALERTS * 4, conflicts: 0, missed: 0 },
    );
  });

  test('stores records of a log that was lost and recreated at offset 0', async () => {
    using dir = tempDir();
    using secondDir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await createFilledBus(dir.path);
    await drainAndClose(bus, await startAuditor({ options: { path }, bus, log: silentLog }));
    const recreatedBus = await openEmbeddedBus({ path: join(secondDir.path, 'bus.db') });
    await recreatedBus.ensureTopics(topicsWith(1));
    const value = encode('Alert', createTestAlert(ALERTS + 1));
    await recreatedBus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value }]);
    await drainAndClose(recreatedBus, await startAuditor({ options: { path }, bus: recreatedBus, log: silentLog }));
    using reader = new AuditReader(path);
    assert.equal(reader.stats().counts.alert, ALERTS + 1);
    assert.equal(reader.verify().problemCount, 0);
  });

  test('dead-letters records that it cannot decode, stores the dead letters, and continues', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
    await bus.ensureTopics(topicsWith(1));
    const invalid = [TOPIC.alerts, TOPIC.events, TOPIC.results, TOPIC.dlq].map((topic) => ({
      topic,
      key: EVIDENCE_HOST,
      value: Buffer.from('not a valid record'),
    }));
    await bus.produce([...invalid, ...testTrail(2, 1)]);
    const auditor = await startAuditor({ options: { path }, bus, log: silentLog });
    await drainAndClose(bus, auditor);
    using reader = new AuditReader(path);
    assert.deepEqual(reader.stats().counts, {
      ...EXPECTED_COUNTS,
      alert: 1,
      incident: 1,
      command: 1,
      result: 1,
      gap: 2,
      execution: 2,
      events: 2,
      dlq: 4,
    });
    assert.equal(auditor.stats().missed, 0);
    assert.deepEqual(reader.search('ERR_SCHEMA_FRAME').length, 4);
  });

  test('stores a record of a newer version whose schema was learnt after the start', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await createFilledBus(dir.path);
    const auditor = await startAuditor({ options: { path }, bus, log: silentLog });
    const schema = JSON.parse(portableSchema('Alert')) as { fields: object[] };
    // keyId and signature must remain the last fields.
    schema.fields.splice(-2, 0, { name: 'later', type: 'string', default: '' });
    const fingerprint = learnSchema(JSON.stringify(schema))?.fingerprint ?? '';
    const alert = createTestAlert(1000);
    const bytes = encode('Alert', alert);
    const last = bytes.length - SIGNATURE_BYTES - 1;
    const frame = [Buffer.from([0xc3, 1]), Buffer.from(fingerprint, 'hex')];
    const laterField = Buffer.from('\u0008more');
    const value = Buffer.concat([...frame, bytes.subarray(FRAME_BYTES, last), laterField, bytes.subarray(last)]);
    await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value }]);
    await drainAndClose(bus, auditor);
    using reader = new AuditReader(path);
    assert.ok((await Array.fromAsync(reader.alerts())).some(({ id }) => id === alert.id));
    assert.deepEqual(await Array.fromAsync(reader.deadLetters()), []);
  });

  test('refuses to start on a file of a newer version, and releases its consumer group', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    await using bus = await createFilledBus(dir.path);
    await assert.rejects(startAuditor({ options: { path }, bus, log: silentLog }), {
      code: 'ERR_AUDIT_VERSION',
      found: 99,
    });
    await (await bus.consumer({ group: 'auditor', topics: [TOPIC.alerts] })).close();
  });

  test('stops with an error when its file is destroyed, and the bus keeps the records', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const auditor = await startAuditor({ options: { path }, bus, log: silentLog });
    const attacker = new Database(path);
    attacker.exec('DROP TABLE records');
    attacker.close();
    await bus.produce(testTrail(1, 1));
    await assert.rejects(auditor.done, { code: 'ERR_AUDIT_STORAGE', sqliteCode: 'SQLITE_ERROR' });
    await assert.rejects(auditor.close());
    const again = await bus.consumer({ group: 'auditor', topics: [TOPIC.events, TOPIC.alerts] });
    assert.equal((await again.poll()).length, 2);
    await again.close();
  });

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    test(`after kill -9 at ${point}, repeatedly, no record is lost or duplicated`, async () => {
      using dir = tempDir();
      using reference = tempDir();
      const path = join(dir.path, 'audit.db');
      const bus = await createFilledBus(dir.path);
      await bus.close();
      const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
      const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', script, dir.path, point];
      for (const pass of ['1', '2']) {
        const child = spawnSync(process.execPath, [...args, pass], { timeout: 15_000 });
        assert.equal(child.signal, 'SIGKILL', child.stderr.toString());
      }
      const reopened = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
      await drainAndClose(reopened, await startAuditor({ options: { path }, bus: reopened, log: silentLog }));
      using reader = new AuditReader(path);
      assert.deepEqual(reader.stats().counts, EXPECTED_COUNTS);
      assert.equal(reader.verify().problemCount, 0);

      const referencePath = join(reference.path, 'audit.db');
      const referenceBus = await createFilledBus(reference.path);
      await drainAndClose(
        referenceBus,
        await startAuditor({ options: { path: referencePath }, bus: referenceBus, log: silentLog }),
      );
      using referenceReader = new AuditReader(referencePath);
      assert.deepEqual(
        reader.verify().chains,
        referenceReader.verify().chains,
        'the hashes are the same as without a crash',
      );
    });
  }
});
