import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Bus, partitionOf } from '@ringfence/bus';
import { kafkaMissing } from '@ringfence/dev-servers';
import type { MemberOptions } from '@ringfence/simulator';
import { TOPIC } from '@ringfence/wire';
import { PARTITIONS, SmallFleet } from '../e2e/lib/fleet.ts';
import { exitSignal, type FleetAgent } from '../e2e/lib/fleet-agent.ts';
import { until } from '../e2e/lib/wait.ts';

const TIMEOUT_MS = 120_000;
const refused = { code: 'ERR_BUS_REFUSED' };

/** Returns whether the broker lets this client read and write, over the connections that it has. */
async function mayRead(bus: Bus): Promise<void> {
  for await (const _ of bus.read({ topic: TOPIC.events })) break;
}

/** Starts agents until each detector judges the events of at least one: there is a partition for each of the two. */
async function agentsOfAllPartitions(fleet: SmallFleet): Promise<FleetAgent[]> {
  const agents = new Map<number, FleetAgent>();
  while (agents.size < PARTITIONS) {
    const agent = await fleet.agent();
    agents.set(partitionOf(agent.hostId, PARTITIONS), agent);
  }
  return [...agents.values()];
}

/**
 * Sets a session that times out after the deadline of this test: others get the partitions of this member only if it
 * leaves its groups.
 */
function withLongSession({ settings = {}, ...options }: MemberOptions): MemberOptions {
  const bus = settings['bus'] as { readonly kafka: object };
  return { ...options, settings: { ...settings, bus: { ...bus, kafka: { ...bus.kafka, sessionTimeout: '5m' } } } };
}

describe('a revoked service', { skip: kafkaMissing() }, () => {
  test('is refused its next request by the broker and ends; another member takes its partitions', async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join();
    await fleet.members.join(withLongSession(await fleet.optionsOf('detector', 'detector-2')));
    const agents = await agentsOfAllPartitions(fleet);
    for (const agent of agents) {
      const first = agent.startReported('rfvictim before');
      await agent.send();
      assert.equal(await exitSignal(first), 'SIGKILL');
    }

    const thief = await fleet.stolenBus('detector-2');
    const write = (): Promise<void> => thief.produce([{ topic: TOPIC.dlq, key: 'k', value: null }]);
    await t.test('until then a thief of its broker key reads events', async () => {
      await mayRead(thief);
      await write();
    });

    const startedAt = performance.now();
    const revocation = await fleet.revoke('detector-2');
    t.diagnostic(`the revocation took ${Math.round(performance.now() - startedAt)} ms, with the leave of the service`);
    await t.test('it leaves its groups before its access is removed', () => {
      const log = readFileSync(join(fleet.member('detector-2').directory, 'log'), 'utf8');
      assert.equal(revocation.departure, 'left', log);
      assert.doesNotMatch(log, /cannot leave the group/);
    });
    await t.test('the broker refuses the next request on an open connection, for reads and writes', async () => {
      assert.equal(revocation.access, 'removed');
      await assert.rejects(mayRead(thief), refused);
      await assert.rejects(write(), refused);
      await assert.rejects(Array.fromAsync(thief.read({ topic: TOPIC.enrolments })), refused);
      await assert.rejects(fleet.stolenBus('detector-2').then(mayRead), refused, 'nor those of a new connection');
    });

    await t.test('its process ends with the reason', async () => {
      const member = fleet.member('detector-2');
      await until('the end of the revoked detector', () => member.pid === undefined, TIMEOUT_MS);
      const log = readFileSync(join(member.directory, 'log'), 'utf8');
      assert.match(log, /detector-2 was revoked/);
      assert.match(log, /ringfence token --role detector --subject detector-2/);
    });

    await t.test('the other detector does the work, and nothing of that time is a dead letter', async () => {
      for (const agent of agents) {
        const next = agent.startReported('rfvictim after');
        await agent.send();
        await until('the kill', () => next.child.signalCode === 'SIGKILL', TIMEOUT_MS);
      }
      assert.deepEqual(await fleet.deadLetters(), []);
    });

    await t.test('its process does not start again with the revoked identity', async () => {
      await assert.rejects(fleet.member('detector-2').start(), /ended during its start.*detector-2 was revoked/s);
    });

    await t.test('enrolled again under its name it works', async () => {
      const member = fleet.member('detector-2');
      await fleet.enrol('detector-2', 'detector', join(member.directory, 'state/identity'));
      await fleet.start('detector-2');
      await mayRead(await fleet.stolenBus('detector-2'));
    });
  });

  test('has no rights of an administrator or the registrar, whatever its name', async () => {
    await using fleet = await SmallFleet.start();
    const directory = join(fleet.directory, 'admin');
    await fleet.enrol('admin', 'detector', directory);
    const bus = await fleet.busOf(directory);
    await mayRead(bus);
    await assert.rejects(bus.produce([{ topic: TOPIC.raw, key: 'k', value: null }]), refused);
    await assert.rejects(fleet.enrol('registrar', 'detector', join(fleet.directory, 'false-registrar')), {
      reason: 'ERR_REGISTRAR_FORBIDDEN',
    });
  });
});
