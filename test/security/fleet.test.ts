import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Bus } from '@ringfence/bus';
import { kafkaMissing } from '@ringfence/dev-servers';
import { RESPONDER_TOPICS } from '@ringfence/responder/topics';
import { createSigningKey, TOPIC } from '@ringfence/wire';
import { SmallFleet } from '../e2e/lib/fleet.ts';
import { death, lives } from '../e2e/lib/fleet-agent.ts';
import { until } from '../e2e/lib/wait.ts';
import { ATTACKS, garbage, raw, type Scene } from './attacks.ts';

const PATIENCE_MS = 120_000;

/** A bystander that is seen, and a victim that is killed. */
async function setTheScene(fleet: SmallFleet): Promise<Scene> {
  const [thief, honest] = [await fleet.agent(), await fleet.agent()];
  const bystander = honest.show('rfbystander');
  const victim = honest.show('rfvictim');
  await honest.send();
  assert.equal(await death(victim), 'SIGKILL');
  using audit = fleet.audit();
  const alert = await until(
    'the alert of the bystander',
    async () => {
      const alerts = await Array.fromAsync(audit.alerts());
      return alerts.find(({ rule }) => rule === 'Bystander');
    },
    PATIENCE_MS,
  );
  const command = await until(
    'the command for the victim',
    async () => (await Array.fromAsync(audit.commands())).find(({ mode }) => mode === 'enforce'),
    PATIENCE_MS,
  );
  return { thief, honest, bystander, alert, command, stranger: createSigningKey() };
}

const PLANTED = Buffer.from('{"what":"no version of it would write"}');

/** Joins the responders, reads what their state holds, and writes over all of it, as one that has the partitions may. Returns their number. */
async function plantState(bus: Bus): Promise<number> {
  const stores = ['orders', 'limits', 'commands'].map((name) => `ringfence.state.responder.${name}`);
  await using consumer = await bus.consumer({ group: 'responder', topics: RESPONDER_TOPICS, stores });
  const ours = new Set<number>();
  consumer.onAssignment(async ({ assigned }) => {
    for (const partition of assigned) {
      for (const store of stores) assert.deepEqual(await Array.fromAsync(consumer.restore(store, partition)), []);
      ours.add(partition);
    }
  });
  const joined = until('a share of the partitions', async () => ours.size > 0, PATIENCE_MS);
  const stop = new AbortController();
  const records = consumer.poll(AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]));
  // What the listener finds wrong is what the poll rejects with.
  await Promise.race([joined, records.then(() => joined)]);
  stop.abort();
  await records;
  const position = { offset: 2 ** 40, index: 0 };
  const state = [...ours].flatMap((partition) =>
    stores.map((store) => ({ store, partition, key: 'planted', value: PLANTED, position })),
  );
  await consumer.commit(await records, { outputs: [], state });
  return ours.size;
}

describe('somebody with what was stolen of a fleet', { skip: kafkaMissing() }, () => {
  test('speaks for nobody else and kills nothing; all of it is in the dead letters, and the services go on', async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join();
    const scene = await setTheScene(fleet);
    const { thief, honest, bystander } = scene;
    const pids = fleet.members.all.map(({ pid }) => pid);
    const keys = new Map<string, Bus>([['agent', thief.bus]]);
    for (const name of ['enricher', 'detector', 'responder', 'registrar']) keys.set(name, await fleet.stolen(name));

    const expected: string[] = [];
    const arrive = async (letters: readonly string[]): Promise<void> => {
      expected.push(...letters);
      const isThere = async (): Promise<boolean> => (await fleet.deadLetters()).length >= expected.length;
      await until(`${expected.length} dead letters`, isThere, PATIENCE_MS);
      const found = await fleet.deadLetters();
      // The next step goes on from what is there.
      const wanted = expected.splice(0).sort();
      expected.push(...found);
      assert.deepEqual(found, wanted);
    };
    for (const { name, as, records, letters } of ATTACKS) {
      await t.test(name, async () => {
        await keys.get(as)?.produce(records(scene));
        await arrive(letters);
        assert.ok(lives(bystander), 'the bystander was killed');
      });
    }

    await t.test(
      'a responder’s password: a member of its group for a while, who believes nothing and plants nothing',
      async () => {
        const planted = await plantState(keys.get('responder') as Bus);
        assert.ok(planted > 0, 'it got no partition');
        assert.ok(lives(bystander), 'the bystander was killed');
      },
    );

    await t.test('an agent may write nothing but what hosts report, and read nothing', async () => {
      for (const topic of [TOPIC.events, TOPIC.alerts, TOPIC.commands, TOPIC.enrolments, TOPIC.schemas, TOPIC.dlq])
        await assert.rejects(
          thief.bus.produce([{ topic, key: 'k', value: garbage }]),
          { code: 'ERR_BUS_REFUSED' },
          topic,
        );
      await assert.rejects(Array.fromAsync(thief.bus.read({ topic: TOPIC.raw })), { code: 'ERR_BUS_REFUSED' });
    });

    await t.test('a batch sent again doubles nothing, and a revoked agent is cut and heard no more', async () => {
      const shown = honest.show('rfbystander again');
      const sent = await honest.send();
      await thief.bus.produce([raw(honest.hostId, sent), raw(honest.hostId, sent)]);
      await fleet.revoke(thief.hostId);
      await until('its stream is cut', () => !thief.connected, PATIENCE_MS);
      thief.show('rfvictim of a revoked agent');
      await thief.send();
      await arrive(['enricher ERR_ENRICHER_REVOKED']);
      using audit = fleet.audit();
      const again = await until(
        'the alert of what was sent again',
        async () => {
          const alerts = await Array.fromAsync(audit.alerts());
          const found = alerts.filter(({ output }) => output.includes('again'));
          return found.length > 0 && found;
        },
        PATIENCE_MS,
      );
      assert.equal(again.length, 1);
      assert.ok(lives(shown));
    });

    await t.test('every service is the process it was, and still finds and kills what it should', async () => {
      const victim = honest.show('rfvictim at last');
      await honest.send();
      assert.equal(await death(victim), 'SIGKILL');
      assert.ok(lives(bystander), 'the bystander was killed');
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
