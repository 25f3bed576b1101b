import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { ENRICHER_STORE } from '@ringfence/enricher';
import { identityPaths } from '@ringfence/identity';
import { TOPIC } from '@ringfence/wire';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

const MEMBERSHIP_MS = 1000;

/** Opens a bus with an identity that may join the enrichers' consumer group. */
async function memberBus(fleet: ChaosFleet, name: string): Promise<Bus> {
  const directory = join(fleet.directory, name);
  await fleet.enrol(name, 'enricher', directory);
  const { authority, certificate, key } = identityPaths(directory);
  const tls = { ca: authority, cert: certificate, key };
  return openKafkaBus({ brokers: fleet.servers.kafka.bootstrap, clientId: name, tls, sessionTimeoutMs: 6000 });
}

const storm: ChaosCase = {
  name: 'rebalance-storm',
  title: 'a member joins the enrichers every second, is assigned partitions, does nothing and leaves',
  async run(fleet, { pick, note }) {
    await using bus = await memberBus(fleet, `storm-${process.pid}-${Math.round(performance.now())}`);
    let assignments = 0;
    for (let n = 0; n < pick(8, 120); n++) {
      await using consumer = await bus.consumer({
        group: 'enricher',
        topics: [TOPIC.raw, TOPIC.logsRaw],
        stores: [ENRICHER_STORE],
      });
      consumer.onAssignment(async ({ assigned }) => {
        assignments += assigned.length;
        for (const partition of assigned) await Array.fromAsync(consumer.restore(ENRICHER_STORE, partition));
      });
      await consumer.poll(AbortSignal.timeout(MEMBERSHIP_MS));
      await sleep(MEMBERSHIP_MS / 2);
    }
    note(`${assignments} partitions were assigned to it`);
  },
};

const sameName: ChaosCase = {
  name: 'same-name',
  title: 'a second process of each service uses the name of the first; then the first is killed',
  async run(fleet, { pick }) {
    const services = ['enricher', 'detector', 'responder', 'auditor'] as const;
    const run = Math.round(performance.now());
    const twins = [];
    for (const service of services) {
      const name = `${service}-1`;
      twins.push(await fleet.join(`${service}-twin-${run}`, service, { instance: name }));
    }
    await sleep(pick(3000, 60_000));
    for (const service of services) {
      const [first] = fleet.of(service);
      if (first === undefined) continue;
      await first.stop('SIGKILL');
      await fleet.start(first);
    }
    await sleep(2000);
    for (const twin of twins) {
      await twin.stop();
      fleet.forget(twin);
    }
  },
};

export const members: readonly ChaosCase[] = [storm, sameName];
