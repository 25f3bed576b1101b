import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { StateEntry } from '@ringfence/bus';
import { Eventful } from './eventful.ts';
import { found } from './support.ts';

/** Returns the entries that 0.1.0 wrote for `Eventful`: members (`m/`) are Avro and stored as base64, all others JSON. */
async function* released(file: string): AsyncGenerator<StateEntry> {
  const text = readFileSync(new URL(`fixtures/${file}`, import.meta.url), 'utf8');
  for (const line of text.trimEnd().split('\n')) {
    const { key, value, position } = JSON.parse(line);
    yield { key, position, value: Buffer.from(value, key.startsWith('m/') ? 'base64' : 'utf8') };
  }
}

/** Everything but sentences: 0.1.0 kept its reasons as text. */
const comparable = (effect: Parameters<typeof found>[0]) => {
  const { alerts, incidents } = found(effect);
  return {
    alerts: alerts.map(({ id }) => id),
    incidents: incidents.map((incident) => {
      const { id, version, state, score, severity, stages, hosts, joined, omittedAlerts } = incident;
      const listed = incident.alerts.map((alert) => [alert.id, alert.rule, alert.timestamp]);
      const members = joined.map((member) => [member.id, member.hostId, member.kind, member.at]);
      const processes = incident.processes.map(({ entityId }) => entityId);
      return { ...{ id, version, state, score, severity, stages, hosts, omittedAlerts }, listed, members, processes };
    }),
  };
};

test('entries that 0.1.0 wrote become Avro with the first change', async () => {
  const events = new Eventful();
  const restored = events.createDetector();
  await restored.restore(released('state-0.1.0.jsonl'));
  events.db.steal(events.shells.db);
  const { state } = restored.handle(events.next(events.db));
  assert.ok(state.length > 2);
  for (const { key, value } of state) if (value !== null) assert.deepEqual([...value.subarray(0, 2)], [0xc3, 1], key);
});

test('a detector continues from the state that 0.1.0 wrote as if it had never stopped', async () => {
  const events = new Eventful();
  const { web, db, shells } = events;
  const restored = events.createDetector();
  await restored.restore(released('state-0.1.0.jsonl'));
  const both = (): ReturnType<typeof comparable>[] => {
    const records = [...events.next(web), ...events.next(db)];
    const [expected, actual] = [events.detector.handle(records), restored.handle(records)].map(comparable);
    assert.deepEqual(actual, expected);
    return [expected as ReturnType<typeof comparable>];
  };
  db.steal(shells.db);
  for (const port of [1, 2, 3]) web.host.connect(shells.web, '203.0.113.1', port, { localAddress: web.address });
  web.host.connect(web.host.spawn(web.host.init, '/usr/bin/ssh'), '10.0.0.2', 22);
  const [first] = both();
  assert.deepEqual(
    first?.incidents.map(({ hosts }) => hosts),
    [['host-2', 'host-1']],
  );
  assert.ok((first?.alerts.length ?? 0) >= 3);
  for (let minute = 0; minute < 45; minute++)
    for (const machine of [web, db]) {
      machine.wait(60_000_000);
      machine.host.tick();
    }
  const [second] = both();
  assert.ok(second?.incidents.some(({ state }) => state === 'closed'));
});

test('the second stage finds the other end of an edge in the state that 0.1.0 wrote', async () => {
  const events = new Eventful();
  const { edges, edgeStore } = events;
  const again = events.createEdges();
  await again.restore(released('edge-state-0.1.0.jsonl'));
  assert.ok(edgeStore.dump().length > 0);
  for (const edge of events.edgesSeen) {
    const [expected, actual] = [await edges.handle([edge]), await again.handle([edge])];
    assert.deepEqual(actual.outputs, expected.outputs);
  }
});
