import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@ringfence/base';
import { type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import { createTestAlert, EVIDENCE_HOST } from '@ringfence/testkit';
import { encode, FRAME_BYTES, learnSchema, portableSchema, SIGNATURE_BYTES, TOPIC, topicsWith } from '@ringfence/wire';
import Database from 'better-sqlite3';
import { type Auditor, AuditReader, startAuditor } from '../src/index.ts';
import { tempDir } from './support.ts';
import { testTrail } from './trail.ts';

/** Several polls' worth. */
const BATCHES = 160;
const ALERTS = 20;
const HELD = {
  alert: 20,
  incident: 20,
  command: 20,
  result: 20,
  gap: 160,
  execution: 160,
  events: 160,
  dlq: 0,
  enrolment: 0,
};

async function withEvidence(dir: string): Promise<EmbeddedBus> {
  const bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
  await bus.ensureTopics(topicsWith(1));
  await bus.produce(testTrail(BATCHES, ALERTS));
  return bus;
}

/** Waits until the group has committed all there is, then stops both. */
async function settled(bus: EmbeddedBus, auditor: Auditor): Promise<void> {
  const behind = async () => [...(await bus.lag('auditor')).values()].some((records) => records > 0);
  while (await behind()) await Promise.race([auditor.done, sleep(5)]);
  await auditor.close();
  await bus.close();
}

/** Everything that is in the trail, as one hash. */
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
  test('keeps everything once, and a redelivery of everything changes nothing', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await withEvidence(dir.path);
    await settled(bus, await startAuditor({ options: { path }, bus, log: silentLog }));
    const before = digest(path);
    {
      using reader = new AuditReader(path);
      assert.deepEqual(reader.stats().counts, HELD);
      assert.equal(reader.verify().problemCount, 0);
    }

    // The same offsets again, as after a crash before the bus took the offset: here, from a bus that lost them all.
    {
      using other = tempDir();
      const again = await withEvidence(other.path);
      await settled(again, await startAuditor({ options: { path }, bus: again, log: silentLog }));
      assert.equal(digest(path), before);
    }

    // The same records at new offsets, as from a producer that was not sure.
    const twice = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
    await twice.produce(testTrail(BATCHES, ALERTS));
    const auditor = await startAuditor({ options: { path }, bus: twice, log: silentLog });
    await settled(twice, auditor);
    assert.equal(digest(path), before);
    const { duplicates, conflicts, missed } = auditor.stats();
    assert.deepEqual(
      { duplicates, conflicts, missed },
      { duplicates: BATCHES * 3 + ALERTS * 4, conflicts: 0, missed: 0 },
    );
  });

  test('keeps what comes from a log that was lost and begun anew at offset 0', async () => {
    using dir = tempDir();
    using other = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await withEvidence(dir.path);
    await settled(bus, await startAuditor({ options: { path }, bus, log: silentLog }));
    const anew = await openEmbeddedBus({ path: join(other.path, 'bus.db') });
    await anew.ensureTopics(topicsWith(1));
    const value = encode('Alert', createTestAlert(ALERTS + 1));
    await anew.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value }]);
    await settled(anew, await startAuditor({ options: { path }, bus: anew, log: silentLog }));
    using reader = new AuditReader(path);
    assert.equal(reader.stats().counts.alert, ALERTS + 1);
    assert.equal(reader.verify().problemCount, 0);
  });

  test('sends what it cannot read to the dead letters, keeps that too, and goes on', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
    await bus.ensureTopics(topicsWith(1));
    const bad = [TOPIC.alerts, TOPIC.events, TOPIC.results, TOPIC.dlq].map((topic) => ({
      topic,
      key: EVIDENCE_HOST,
      value: Buffer.from('not what it should be'),
    }));
    await bus.produce([...bad, ...testTrail(2, 1)]);
    const auditor = await startAuditor({ options: { path }, bus, log: silentLog });
    await settled(bus, auditor);
    using reader = new AuditReader(path);
    assert.deepEqual(reader.stats().counts, {
      ...HELD,
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

  test('keeps what a newer version wrote, whose schema was learnt after the start', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const bus = await withEvidence(dir.path);
    const auditor = await startAuditor({ options: { path }, bus, log: silentLog });
    const schema = JSON.parse(portableSchema('Alert')) as { fields: object[] };
    // keyId and signature are last for ever.
    schema.fields.splice(-2, 0, { name: 'later', type: 'string', default: '' });
    const print = learnSchema(JSON.stringify(schema))?.fingerprint ?? '';
    const alert = createTestAlert(1000);
    const bytes = encode('Alert', alert);
    const last = bytes.length - SIGNATURE_BYTES - 1;
    const frame = [Buffer.from([0xc3, 1]), Buffer.from(print, 'hex')];
    const later = Buffer.from('\u0008more');
    const value = Buffer.concat([...frame, bytes.subarray(FRAME_BYTES, last), later, bytes.subarray(last)]);
    await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value }]);
    await settled(bus, auditor);
    using reader = new AuditReader(path);
    assert.ok((await Array.fromAsync(reader.alerts())).some(({ id }) => id === alert.id));
    assert.deepEqual(await Array.fromAsync(reader.deadLetters()), []);
  });

  test('refuses to start on a file of a newer version, and gives its group back', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    await using bus = await withEvidence(dir.path);
    await assert.rejects(startAuditor({ options: { path }, bus, log: silentLog }), {
      code: 'ERR_AUDIT_VERSION',
      found: 99,
    });
    await (await bus.consumer({ group: 'auditor', topics: [TOPIC.alerts] })).close();
  });

  test('stops with the reason when its file is destroyed under it, and the bus keeps what was not stored', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const auditor = await startAuditor({ options: { path }, bus, log: silentLog });
    const vandal = new Database(path);
    vandal.exec('DROP TABLE records');
    vandal.close();
    await bus.produce(testTrail(1, 1));
    await assert.rejects(auditor.done, { code: 'ERR_AUDIT_STORAGE', sqliteCode: 'SQLITE_ERROR' });
    await assert.rejects(auditor.close());
    const again = await bus.consumer({ group: 'auditor', topics: [TOPIC.events, TOPIC.alerts] });
    assert.equal((await again.poll()).length, 2);
    await again.close();
  });

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    test(`killed with -9 ${point}, again and again: nothing is lost, nothing doubled`, async () => {
      using dir = tempDir();
      using reference = tempDir();
      const path = join(dir.path, 'audit.db');
      const bus = await withEvidence(dir.path);
      await bus.close();
      const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
      const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', script, dir.path, point];
      for (const passing of ['1', '2']) {
        const child = spawnSync(process.execPath, [...args, passing], { timeout: 15_000 });
        assert.equal(child.signal, 'SIGKILL', child.stderr.toString());
      }
      const reopened = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
      await settled(reopened, await startAuditor({ options: { path }, bus: reopened, log: silentLog }));
      using reader = new AuditReader(path);
      assert.deepEqual(reader.stats().counts, HELD);
      assert.equal(reader.verify().problemCount, 0);

      const other = join(reference.path, 'audit.db');
      const whole = await withEvidence(reference.path);
      await settled(whole, await startAuditor({ options: { path: other }, bus: whole, log: silentLog }));
      using untouched = new AuditReader(other);
      assert.deepEqual(reader.verify().chains, untouched.verify().chains, 'the same hashes as without a crash');
    });
  }
});
