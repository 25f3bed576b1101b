import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '@ringfence/dev-servers/in-process';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

async function setAll({ servers, redisProxy, searchProxy }: ChaosFleet, faults: Faults): Promise<void> {
  const proxies = [...servers.kafka.brokers.map(({ proxy }) => proxy), redisProxy, searchProxy];
  await Promise.all(proxies.map((proxy) => proxy?.set(faults)));
}

const partition: ChaosCase = {
  name: 'partition',
  title: 'no data passes between services and brokers, Redis and Elasticsearch; connections stay open',
  async run(fleet, { pick }) {
    for (let n = 0; n < pick(1, 5); n++) {
      await setAll(fleet, { silent: true });
      await sleep(pick(15_000, 45_000));
      await setAll(fleet, {});
      await sleep(pick(0, 10_000));
    }
  },
};

const unreachable: ChaosCase = {
  name: 'broker-unreachable',
  title: 'clients cannot reach one broker, but other brokers can, so it stays the leader of its partitions',
  async run({ servers }, { pick }) {
    const proxy = servers.kafka.brokers[1]?.proxy;
    await proxy?.set({ refuse: true });
    await sleep(pick(10_000, 60_000));
    await proxy?.set({});
  },
};

const latency: ChaosCase = {
  name: 'latency',
  title: 'the network has a latency of 500 ms in each direction',
  async run(fleet, { pick }) {
    await setAll(fleet, { latencyMs: 500 });
    await sleep(pick(15_000, 120_000));
    await setAll(fleet, {});
  },
};

const cuts: ChaosCase = {
  name: 'connections-cut',
  title: 'all connections are reset repeatedly',
  async run({ servers, redisProxy, searchProxy }, { pick }) {
    for (let n = 0; n < pick(5, 60); n++) {
      for (const { proxy } of servers.kafka.brokers) proxy?.cut();
      redisProxy.cut();
      searchProxy.cut();
      await sleep(Math.random() * 2000);
    }
  },
};

export const network: readonly ChaosCase[] = [partition, unreachable, latency, cuts];
