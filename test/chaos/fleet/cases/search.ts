import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCase } from '../lib/case.ts';

const readOnly: ChaosCase = {
  name: 'search-read-only',
  title: 'Elasticsearch refuses writes, as above its flood-stage watermark',
  async run({ store }, { pick }) {
    const block = (value: true | null) =>
      store.request('PUT', '/_all/_settings?expand_wildcards=all', { 'index.blocks.read_only_allow_delete': value });
    await block(true);
    await sleep(pick(8000, 60_000));
    await block(null);
  },
};

const slow: ChaosCase = {
  name: 'search-slow',
  title: 'Elasticsearch has a round-trip latency of 2 s and a bandwidth of 256 kB/s',
  async run({ searchProxy }, { pick }) {
    await searchProxy.set({ latencyMs: 1000, bytesPerSecond: 256 * 1024 });
    await sleep(pick(12_000, 90_000));
    await searchProxy.set({});
  },
};

const gone: ChaosCase = {
  name: 'search-gone',
  title: 'Elasticsearch is killed and restarted later; the brokers keep the records meanwhile',
  async run({ servers: { search } }, { pick }) {
    await search.stop('SIGKILL');
    await sleep(pick(20_000, 3_600_000));
    await search.start();
  },
};

const rolledOver: ChaosCase = {
  name: 'search-rolled-over',
  title: 'streams roll over while auditors are killed: ids are unique only within the write index',
  async run(fleet, { pick }) {
    const { store } = fleet;
    for (let n = 0; n < pick(2, 20); n++) {
      const member = fleet.of('auditor')[n % 2];
      if (member === undefined) return;
      await member.stop('SIGKILL');
      for (const stream of [store.names.events, store.names.alerts, store.names.actions, store.names.audit])
        await store.request('POST', `/${stream}/_rollover`);
      await fleet.start(member);
      await sleep(2000 * Math.random());
    }
  },
};

const conflict: ChaosCase = {
  name: 'search-conflict',
  title: "an operator's mapping declares rule names as numbers: refused alerts are reported and stay in the trail",
  async run({ store }, { pick }) {
    const stream = store.names.alerts;
    const custom = async (template: object): Promise<void> => {
      await store.request('PUT', '/_component_template/ringfence@custom', { template });
      await store.request('POST', `/${stream}/_rollover`);
    };
    await custom({
      mappings: { properties: { rule: { properties: { name: { type: 'long', ignore_malformed: false } } } } },
    });
    await sleep(pick(6000, 30_000));
    await custom({});
  },
};

export const search: readonly ChaosCase[] = [readOnly, slow, gone, rolledOver, conflict];
