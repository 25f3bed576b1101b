import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Bus } from '@ringfence/bus';
import { kafkaMissing } from '@ringfence/dev-servers';
import { RESPONDER_TOPICS } from '@ringfence/responder/topics';
import { createSigningKey, TOPIC } from '@ringfence/wire';
import { SmallFleet } from '../e2e/lib/fleet.ts';
import { exitSignal, isAlive } from '../e2e/lib/fleet-agent.ts';
import { until } from '../e2e/lib/wait.ts';
import { ATTACKS, garbage, raw, type Scene } from './attacks.ts';

const TIMEOUT_MS = 120_000;

/** Creates two agents, a bystander that only raises an alert, and a victim that is killed. */
async function createScene(fleet: SmallFleet): Promise<Scene> {
  const [thief, honest] = [await fleet.agent(), await fleet.agent()];
  const bystander = honest.startReported('rfbystander');
  const victim = honest.startReported('rfvictim');
  await honest.send();
  assert.equal(await exitSignal(victim), 'SIGKILL');
  using audit = fleet.audit();
  const alert = await until(
    'the alert of the bystander',
    async () => {
      const alerts = await Array.fromAsync(audit.alerts());
      return alerts.find(({ rule }) => rule === 'Bystander');
    },
    TIMEOUT_MS,
  );
  const command = await until(
    'the command for the victim',
    async () => (await Array.fromAsync(audit.commands())).find(({ mode }) => mode === 'enforce'),
    TIMEOUT_MS,
  );
  return { thief, honest, bystander, alert, command, strangerKey: createSigningKey() };
}

const PLANTED = Buffer.from('{"planted":"no version writes this"}');

/**
 * Joins the consumer group of the responders, checks that their state is not readable, and writes planted state for its
 * assigned partitions. Returns the number of these partitions.
 */
async function plantState(bus: Bus): Promise<number> {
  const stores = ['orders', 'limits', 'commands', 'runs'].map((name) => `ringfence.state.responder.${name}`);
  await using consumer = await bus.consumer({ group: 'responder', topics: RESPONDER_TOPICS, stores });
  const assignedPartitions = new Set<number>();
  consumer.onAssignment(async ({ assigned }) => {
    for (const partition of assigned) {
      for (const store of stores) assert.deepEqual(await Array.fromAsync(consumer.restore(store, partition)), []);
      assignedPartitions.add(partition);
    }
  });
  const joined = until('an assigned partition', async () => assignedPartitions.size > 0, TIMEOUT_MS);
  const stop = new AbortController();
  const records = consumer.poll(AbortSignal.any([stop.signal, AbortSignal.timeout(TIMEOUT_MS)]));
  // A failed assertion of the listener rejects the poll.
  await Promise.race([joined, records.then(() => joined)]);
  stop.abort();
  await records;
  const position = { offset: 2 ** 40, index: 0 };
  const state = [...assignedPartitions].flatMap((partition) =>
    stores.map((store) => ({ store, partition, key: 'planted', value: PLANTED, position })),
  );
  await consumer.commit(await records, { outputs: [], state });
  return assignedPartitions.size;
}

describe('a thief of credentials of a fleet', { skip: kafkaMissing() }, () => {
  test('cannot act as another subject or kill a process; each forgery becomes a dead letter, and the services continue', async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join();
    const scene = await createScene(fleet);
    const { thief, honest, bystander } = scene;
    const pids = fleet.members.all.map(({ pid }) => pid);
    const stolenBuses = new Map<string, Bus>([['agent', thief.bus]]);
    for (const name of ['enricher', 'detector', 'responder', 'registrar'])
      stolenBuses.set(name, await fleet.stolenBus(name));

    const expected: string[] = [];
    const expectDeadLetters = async (deadLetters: readonly string[]): Promise<void> => {
      expected.push(...deadLetters);
      const haveArrived = async (): Promise<boolean> => (await fleet.deadLetters()).length >= expected.length;
      await until(`${expected.length} dead letters`, haveArrived, TIMEOUT_MS);
      const found = await fleet.deadLetters();
      // The next step continues from the actual dead letters.
      const previous = expected.splice(0).sort();
      expected.push(...found);
      assert.deepEqual(found, previous);
    };
    for (const { name, role, records, deadLetters } of ATTACKS) {
      await t.test(name, async () => {
        await stolenBuses.get(role)?.produce(records(scene));
        await expectDeadLetters(deadLetters);
        assert.ok(isAlive(bystander), 'the bystander was killed');
      });
    }

    await t.test(
      'the broker key of a responder: a temporary member of its group can neither read nor plant state',
      async () => {
        const planted = await plantState(stolenBuses.get('responder') as Bus);
        assert.ok(planted > 0, 'the thief was assigned no partition');
        assert.ok(isAlive(bystander), 'the bystander was killed');
      },
    );

    await t.test('an agent may only write the reports of hosts, and read nothing', async () => {
      for (const topic of [TOPIC.events, TOPIC.alerts, TOPIC.commands, TOPIC.enrolments, TOPIC.schemas, TOPIC.dlq])
        await assert.rejects(
          thief.bus.produce([{ topic, key: 'k', value: garbage }]),
          { code: 'ERR_BUS_REFUSED' },
          topic,
        );
      await assert.rejects(Array.fromAsync(thief.bus.read({ topic: TOPIC.raw })), { code: 'ERR_BUS_REFUSED' });
    });

    await t.test(
      'a repeated batch duplicates nothing; a revoked agent is disconnected and its batches are rejected',
      async () => {
        const repeated = honest.startReported('rfbystander again');
        const sent = await honest.send();
        await thief.bus.produce([raw(honest.hostId, sent), raw(honest.hostId, sent)]);
        await fleet.revoke(thief.hostId);
        await until('the end of the stream of the thief', () => !thief.connected, TIMEOUT_MS);
        thief.startReported('rfvictim of a revoked agent');
        await thief.send();
        await expectDeadLetters(['enricher ERR_ENRICHER_REVOKED']);
        using audit = fleet.audit();
        const alerts = await until(
          'the alert of the repeated batch',
          async () => {
            const stored = await Array.fromAsync(audit.alerts());
            const found = stored.filter(({ output }) => output.includes('again'));
            return found.length > 0 && found;
          },
          TIMEOUT_MS,
        );
        assert.equal(alerts.length, 1);
        assert.ok(isAlive(repeated));
      },
    );

    await t.test('every service still runs in the same process and kills the next victim', async () => {
      const victim = honest.startReported('rfvictim at the end');
      await honest.send();
      assert.equal(await exitSignal(victim), 'SIGKILL');
      assert.ok(isAlive(bystander), 'the bystander was killed');
      assert.deepEqual(
        fleet.members.all.map(({ pid }) => pid),
        pids,
      );
      assert.deepEqual(
        honest.results.map(({ outcome }) => outcome),
        ['executed', 'executed'],
      );
      assert.deepEqual(thief.results, []);
      using audit = fleet.audit();
      assert.deepEqual(audit.verify().problems, []);
    });
  });
});
