import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '@ringfence/dev-servers/in-process';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

async function everywhere({ servers, redisProxy, searchProxy }: ChaosFleet, faults: Faults): Promise<void> {
  const proxies = [...servers.kafka.brokers.map(({ proxy }) => proxy), redisProxy, searchProxy];
  await Promise.all(proxies.map((proxy) => proxy?.set(faults)));
}

const partition: ChaosCase = {
  name: 'partition',
  title: 'no byte goes between services and brokers, Redis, Elasticsearch; connections stay open',
  async run(fleet, { pick }) {
    for (let n = 0; n < pick(1, 5); n++) {
      await everywhere(fleet, { silent: true });
      await sleep(pick(15_000, 45_000));
      await everywhere(fleet, {});
      await sleep(pick(0, 10_000));
    }
  },
};

const leaderGone: ChaosCase = {
  name: 'broker-unreachable',
  title:
    'one broker is cut off from its clients, and not from the other brokers: it stays the leader of its partitions',
  async run({ servers }, { pick }) {
    const proxy = servers.kafka.brokers[1]?.proxy;
    await proxy?.set({ refuse: true });
    await sleep(pick(10_000, 60_000));
    await proxy?.set({});
  },
};

const latency: ChaosCase = {
  name: 'latency',
  title: 'every byte takes 500 ms, each way',
  async run(fleet, { pick }) {
    await everywhere(fleet, { latencyMs: 500 });
    await sleep(pick(15_000, 120_000));
    await everywhere(fleet, {});
  },
};

const cuts: ChaosCase = {
  name: 'connections-cut',
  title: 'all connections are reset again and again',
  async run({ servers, redisProxy, searchProxy }, { pick }) {
    for (let n = 0; n < pick(5, 60); n++) {
      for (const { proxy } of servers.kafka.brokers) proxy?.cut();
      redisProxy.cut();
      searchProxy.cut();
      await sleep(Math.random() * 2000);
    }
  },
};

export const network: readonly ChaosCase[] = [partition, leaderGone, latency, cuts];
