import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { InRecord } from '@ringfence/bus';
import {
  createTestAction,
  createTestAlert,
  createTestIncident,
  EVIDENCE_WALL_OFFSET,
  evidenceEntity,
} from '@ringfence/synthetic';
import { EventView, encode, type Incident, TOPIC } from '@ringfence/wire';
import { MIN_BYTES } from '../src/config.ts';
import { AuditReader, createAuditPipeline, SqliteSink } from '../src/index.ts';
import { createTestBatch, createTestProcess, execBody, inRecord, openBody, tempDir } from './support.ts';

const MINE = 100;
const OTHER = 200;
/** Seconds between two batches: more than the margin around an incident. */
const STEP = 1000;
const at = (step: number): number => EVIDENCE_WALL_OFFSET + step * STEP * 1_000_000;

/** A batch of one process at a step: an open and an execution. */
function batch(step: number, pid: number, bytes = 10): Buffer {
  const event = { process: 0, ktime: step * STEP * 1_000_000 };
  const body = openBody(`/srv/${randomBytes(bytes).toString('hex')}`);
  const sequence = (step * 1000 + pid) * 10;
  return createTestBatch(
    [createTestProcess(pid)],
    [
      { ...event, sequence, body },
      { ...event, sequence: sequence + 1, body: execBody(`/bin/of-${pid}-${step}`, ['x']) },
    ],
  );
}

function incidentOf(overrides: Partial<Incident> = {}): Incident {
  const base = createTestIncident([createTestAlert(1)], 1);
  const [process] = base.processes;
  assert.ok(process);
  const processes = [{ ...process, entityId: evidenceEntity(MINE) }];
  return { ...base, firstSeen: at(5), lastSeen: at(5), processes, ...overrides };
}

class TestTrail implements AsyncDisposable {
  readonly #directory = tempDir();
  readonly path: string = join(this.#directory.path, 'audit.db');
  #now = at(10);
  #sink: SqliteSink | undefined;
  #offset = 0;

  open(holdMaxBytes?: number): this {
    this.#sink = new SqliteSink({
      ...{ path: this.path, maxBytes: MIN_BYTES, synchronous: 'normal', now: () => this.#now },
      eventRetentionMs: 20 * STEP * 1000,
      ...(holdMaxBytes === undefined ? {} : { holdMaxBytes }),
    });
    return this;
  }

  get sink(): SqliteSink {
    if (this.#sink === undefined) throw new TypeError('not open');
    return this.#sink;
  }

  async store(topic: string, ...values: readonly Uint8Array[]): Promise<void> {
    const records = values.map((value): InRecord => inRecord(topic, this.#offset++, value));
    await createAuditPipeline(this.sink)(records);
  }

  act(action: string, n: number, target = incidentOf().id): Promise<void> {
    return this.store(TOPIC.operator, encode('OperatorAction', createTestAction(n, { action, target })));
  }

  /** Lets the batches of the first steps become old. */
  async age(step: number): Promise<void> {
    this.#now = at(step);
    await this.store(TOPIC.events, batch(step, OTHER));
  }

  read<T>(use: (reader: AuditReader) => T): T {
    using reader = new AuditReader(this.path);
    return use(reader);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink.close();
    this.#directory[Symbol.dispose]();
  }
}

const { id } = incidentOf();
const heldIds = (trail: TestTrail): string[] =>
  trail.read((reader) =>
    (reader.evidence(id)?.records ?? []).filter(({ kind }) => kind === 'held').map((record) => record.id),
  );

/** Steps of the batches that a hold keeps. */
function heldSteps(trail: TestTrail): number[] {
  const view = new EventView();
  const records = trail.read((reader) => reader.evidence(id)?.records ?? []);
  return records.flatMap(({ kind, payload, id: recordId }) => {
    if (kind !== 'held' || !recordId.includes('/events/')) return [];
    view.open(payload);
    view.next();
    return [(view.timestamp - EVIDENCE_WALL_OFFSET) / STEP / 1_000_000];
  });
}

suite('a legal hold', () => {
  test('keeps the events of the incident in its time against age, verified, also after a restart, until its release', async () => {
    await using trail = new TestTrail().open();
    for (const step of [1, 4, 5, 6, 9]) await trail.store(TOPIC.events, batch(step, MINE), batch(step, OTHER));
    await trail.store(TOPIC.incidents, encode('Incident', incidentOf()));
    await trail.act('incident.hold', 1);
    assert.equal(trail.read((reader) => reader.hold(id))?.state, 'held');
    await trail.sink.close();
    trail.open();
    await trail.age(40);
    assert.deepEqual(heldSteps(trail), [5]);
    const dossier = trail.read((reader) => reader.incident(id));
    assert.equal(dossier?.executions.length, 5);
    const verified = trail.read((reader) => reader.verify());
    assert.deepEqual([verified.problems, verified.retired], [[], 10]);
    await trail.act('incident.release', 2);
    assert.deepEqual([heldIds(trail), trail.read((reader) => reader.hold(id))?.state], [[], 'released']);
    const { dropped } = trail.sink.stats();
    assert.deepEqual(dropped.find(({ cause }) => cause === 'released')?.count, 1);
    assert.deepEqual(trail.read((reader) => reader.verify()).problems, []);
    await trail.act('incident.hold', 3);
    assert.equal(trail.read((reader) => reader.hold(id))?.state, 'held');
  });

  test('keeps what belongs to later versions, and to the incident that it was merged into', async () => {
    await using trail = new TestTrail().open();
    const other = incidentOf({ id: 'inc-other', firstSeen: at(8), lastSeen: at(8) });
    await trail.store(TOPIC.events, batch(5, MINE), batch(8, MINE));
    await trail.store(TOPIC.incidents, encode('Incident', incidentOf()));
    await trail.act('incident.hold', 1);
    const merged = incidentOf({ version: 2, state: 'merged', mergedInto: other.id });
    await trail.store(TOPIC.incidents, encode('Incident', other), encode('Incident', merged));
    await trail.age(40);
    assert.deepEqual(heldSteps(trail), [5, 8]);
  });

  test('is refused for an unknown incident, for one that is not held, and beyond its bytes, with the figures', async () => {
    await using trail = new TestTrail().open(4096);
    await trail.act('incident.hold', 1);
    assert.match(trail.read((reader) => reader.hold(id))?.reason ?? '', /^there is no incident/);
    await trail.store(TOPIC.incidents, encode('Incident', incidentOf()));
    await trail.store(TOPIC.events, batch(5, MINE, 5000));
    await trail.act('incident.hold', 2);
    const refused = trail.read((reader) => reader.hold(id));
    assert.equal(refused?.state, 'refused');
    assert.match(refused.reason, /have \d+ bytes, holds keep 0 already, and auditor\.holdMaxBytes allows 4096/);
    await trail.act('incident.release', 3);
    assert.match(trail.read((reader) => reader.hold(id))?.reason ?? '', /is not held/);
  });

  test('counts what a growing incident needs beyond its bytes, and does not fill the trail', async () => {
    await using trail = new TestTrail().open(10_000);
    await trail.store(TOPIC.incidents, encode('Incident', incidentOf()));
    await trail.act('incident.hold', 1);
    for (let n = 0; n < 4; n++) await trail.store(TOPIC.events, batch(5 + n / 1000, MINE, 4000));
    await trail.age(40);
    const { dropped } = trail.sink.stats();
    const lost = dropped.find(({ cause }) => cause === 'hold-full');
    assert.deepEqual([heldSteps(trail).length, lost?.count], [2, 2]);
    assert.deepEqual(trail.read((reader) => reader.verify()).problems, []);
  });

  test('that was released and is redelivered changes nothing', async () => {
    await using trail = new TestTrail().open();
    await trail.store(TOPIC.incidents, encode('Incident', incidentOf()));
    for (const action of ['incident.hold', 'incident.release']) await trail.act(action, action.length);
    await trail.act('incident.hold', 'incident.hold'.length);
    assert.equal(trail.read((reader) => reader.hold(id))?.state, 'released');
  });
});
