import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { createTestIncident, createTestLineage, EVIDENCE_HOST } from '@ringfence/synthetic';
import { decode, encodeSigned, type Outcome, TOPIC } from '@ringfence/wire';
import { openCommands } from '../src/command.ts';
import { Memory, STORES } from '../src/state/memory.ts';
import {
  alertRecord,
  createTestPartition,
  FOR_INCIDENTS,
  incidentRecord,
  killAlert,
  record,
  type TestPartition,
} from './support.ts';

const refusals = (partition: TestPartition, ...records: InRecord[]) =>
  partition.decide(...records).results.map(({ outcome, reason }) => [outcome, reason]);

const stateOf = ({ memory }: TestPartition, id: string): string =>
  memory.commands.get(id)?.state ?? (memory.orders.get(id) === undefined ? 'unknown' : 'ordered');

/** Returns the first command of these records and its bytes, as ordered. */
function ordered(partition: TestPartition, ...records: InRecord[]) {
  const value = partition.handle(records).outputs.find(({ topic }) => topic === TOPIC.commands)?.value as Buffer;
  return { ...decode('Command', value), value };
}

function answerTo(partition: TestPartition, id: string, outcome: Outcome, reason = '', children = 0): InRecord {
  const result = { id, hostId: EVIDENCE_HOST, outcome, reason, executable: '', at: 1, children, facts: {} };
  return record(TOPIC.answers, 9, encodeSigned('Result', result, partition.key));
}

async function restored(state: readonly StateChange[]): Promise<Memory> {
  const memory = new Memory();
  await memory.restore(async function* (store) {
    for (const { key, value, position, store: of } of state)
      if (of === store && value !== null) yield { key, value, position };
  }, 0);
  return memory;
}

suite('a command', () => {
  test('is ordered, open and done, and only its first answer becomes a Result', () => {
    const partition = createTestPartition();
    const { id, value } = ordered(partition, alertRecord(killAlert(1), 0));
    assert.equal(stateOf(partition, id), 'ordered');
    assert.deepEqual(partition.handle([record(TOPIC.commands, 1, value)]).outputs, []);
    assert.equal(stateOf(partition, id), 'open');
    assert.deepEqual(
      openCommands(partition.memory).map((command) => command.id),
      [id],
    );
    const { outputs } = partition.handle([answerTo(partition, id, 'executed'), answerTo(partition, id, 'expired')]);
    assert.deepEqual(
      outputs.map(({ topic }) => topic),
      [TOPIC.results, TOPIC.feedback],
    );
    assert.equal(stateOf(partition, id), 'done');
    assert.deepEqual(partition.handle([record(TOPIC.commands, 2, value)]).outputs, []);
    assert.equal(partition.metrics.snapshot(null).answersAgain, 1);
    assert.deepEqual(openCommands(partition.memory), []);
  });

  test('contains no incident when descendants of the killed process live, or were not counted', () => {
    for (const children of [1, 7, -1]) {
      const partition = createTestPartition();
      const { id, value } = ordered(partition, alertRecord(killAlert(1), 0));
      partition.handle([record(TOPIC.commands, 1, value)]);
      const { outputs } = partition.handle([answerTo(partition, id, 'executed', '', children)]);
      assert.deepEqual(
        outputs.map(({ topic, value: result }) => [topic, decode('Result', result as Buffer).children]),
        [[TOPIC.results, children]],
      );
    }
  });

  test('is answered when its answer is read first, and done when the command is read', () => {
    const partition = createTestPartition();
    const { id, value } = ordered(partition, alertRecord(killAlert(1), 0));
    assert.deepEqual(partition.handle([answerTo(partition, id, 'gone')]).outputs, []);
    assert.equal(stateOf(partition, id), 'answered');
    const { outputs } = partition.handle([record(TOPIC.commands, 1, value)]);
    assert.deepEqual(
      outputs.map(({ topic }) => topic),
      [TOPIC.results],
    );
    assert.equal(stateOf(partition, id), 'done');
  });

  test('of an incident is owned by the partition of its host', () => {
    const cause = createTestPartition({ policies: [FOR_INCIDENTS] });
    const host = createTestPartition({ key: cause.key });
    const { id, value } = ordered(cause, incidentRecord(createTestIncident([killAlert(1)], 1), 0));
    host.handle([record(TOPIC.commands, 0, value)]);
    assert.deepEqual([stateOf(cause, id), stateOf(host, id)], ['ordered', 'open']);
  });

  test('is refused while a kill of its process is under way, and takes nothing from the limit', () => {
    const cause = createTestPartition({ policies: [FOR_INCIDENTS] });
    const host = createTestPartition({ key: cause.key, options: { killsPerMinutePerHost: 2 } });
    const { value } = ordered(cause, incidentRecord(createTestIncident([killAlert(1)], 1), 0));
    assert.equal(host.decide(alertRecord(killAlert(1), 0)).commands.length, 1);
    assert.deepEqual(refusals(host, record(TOPIC.commands, 1, value)), [['refused', 'under-way']]);
    assert.equal(host.metrics.snapshot(null).underWay, 1);
    assert.deepEqual(refusals(host, alertRecord(killAlert(2), 2)), []);
  });
});

suite('the limit of kills', () => {
  test('refuses commands beyond it with a Result, and admits the next one a minute later', () => {
    const partition = createTestPartition({ options: { killsPerMinutePerHost: 3 } });
    const alerts = [0, 10, 20, 30, 59, 61].map((seconds, i) => alertRecord(killAlert(i, {}, seconds), i));
    const { commands, results } = partition.decide(...alerts);
    const ids = commands.map(({ id }) => id);
    assert.equal(ids.length, 6);
    assert.deepEqual(
      results.map(({ id, outcome, reason }) => [id, outcome, reason]),
      [
        [ids[3], 'refused', 'rate-limited'],
        [ids[4], 'refused', 'rate-limited'],
      ],
    );
    assert.equal(partition.metrics.snapshot(null).refusals['rate-limited'], 2);
    assert.equal(openCommands(partition.memory).length, 4);
  });

  test('lets a later alert order the kill that it refused', () => {
    const partition = createTestPartition({ options: { killsPerMinutePerHost: 1 } });
    const lineage = [createTestLineage(200)];
    const records = [killAlert(1), killAlert(2, { lineage }, 50), killAlert(3, { lineage }, 61)];
    const { commands, results } = partition.decide(...records.map(alertRecord));
    assert.deepEqual([commands.length, results.length], [3, 1]);
  });

  test('is counted for each host', () => {
    const partition = createTestPartition({ options: { killsPerMinutePerHost: 1 } });
    const elsewhere = killAlert(2, { hostId: 'another-host' });
    const records = [alertRecord(killAlert(1), 0), alertRecord(elsewhere, 1), alertRecord(killAlert(3), 2)];
    assert.deepEqual(refusals(partition, ...records), [['refused', 'rate-limited']]);
  });

  test('is not widened by commands that claim to be old', () => {
    const partition = createTestPartition({ options: { killsPerMinutePerHost: 2, maxCauseAgeMs: 1e9 } });
    const alerts = [100, 100, 0, 30].map((seconds, i) => alertRecord(killAlert(i, {}, seconds), i));
    assert.equal(refusals(partition, ...alerts).length, 2);
  });
});

suite('the state of a partition', () => {
  test('keeps orders, limits and open commands over a restart', async () => {
    const options = { killsPerMinutePerHost: 2 };
    const first = createTestPartition({ options });
    const alerts = [alertRecord(killAlert(0), 0), alertRecord(killAlert(1), 1)];
    const { outputs, state } = first.handle(alerts);
    const commands = outputs.map(({ value }, i) => record(TOPIC.commands, i, value as Buffer));
    const memory = await restored([...state, ...first.handle(commands).state]);
    const second = createTestPartition({ options, memory, key: first.key });
    assert.deepEqual(second.decide(...alerts), { commands: [], results: [] });
    assert.equal(openCommands(memory).length, 2);
    assert.deepEqual(refusals(second, alertRecord(killAlert(2), 2)), [['refused', 'rate-limited']]);
  });

  test('of 0.1.0 is read, and becomes Avro with its first change', async () => {
    const partition = createTestPartition();
    const { id, value, entityId } = ordered(partition, alertRecord(killAlert(1), 0));
    const json = (store: string, key: string, entry: object): StateChange => ({
      ...{ store, key, value: Buffer.from(JSON.stringify(entry)), partition: 0, position: { offset: 0, index: 0 } },
    });
    const [hostId, expiresAt] = [EVIDENCE_HOST, 1];
    const result = answerTo(partition, 'answered', 'gone').value as Buffer;
    const memory = await restored([
      json(STORES.orders, id, { at: 1, alert: 'alert-1' }),
      json(STORES.orders, `entity/${entityId}`, { at: 1 }),
      json(STORES.limits, EVIDENCE_HOST, { kills: [1, 2] }),
      json(STORES.commands, id, { hostId, expiresAt, command: value.toString('base64'), answer: null }),
      json(STORES.commands, 'answered', { hostId, expiresAt, command: null, answer: result.toString('base64') }),
      json(STORES.commands, 'done', { hostId, expiresAt, command: null, answer: null }),
    ]);
    const upgraded = createTestPartition({ memory, key: partition.key });
    assert.deepEqual(
      [id, 'answered', 'done'].map((name) => stateOf(upgraded, name)),
      ['open', 'answered', 'done'],
    );
    assert.deepEqual(memory.limits.get(EVIDENCE_HOST)?.kills, [1, 2]);
    const { outputs, state } = upgraded.handle([answerTo(partition, id, 'executed')]);
    assert.equal(outputs[0]?.topic, TOPIC.results);
    for (const change of state) assert.deepEqual([...(change.value ?? [])].slice(0, 2), [0xc3, 1], change.key);
  });

  test('that is malformed stops the responder', async () => {
    const bad = ['{"what":"unknown"}', '[]', 'garbage', JSON.stringify({ kills: Array(10_001).fill(1) })];
    for (const store of Object.values(STORES))
      for (const text of bad) {
        const entry: StateEntry = { key: 'k', value: Buffer.from(text), position: { offset: 0, index: 0 } };
        const entries = async function* (name: string): AsyncGenerator<StateEntry> {
          if (name === store) yield entry;
        };
        await assert.rejects(new Memory().restore(entries, 0), { code: 'ERR_RESPONDER_STATE' }, `${store} ${text}`);
      }
  });
});
