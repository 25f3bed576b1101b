import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue } from '@ringfence/fields';
import { createTestHost, type EventValues, type TestHost, type TestProcess } from '@ringfence/testkit';
import { EventView, IPPROTO, KIND, records as layout, SOCK } from '@ringfence/wire';
import type { EnricherPipeline } from '../src/pipeline.ts';
import { createTestEnricher, records, TestStore } from './support.ts';

const { AF_INET } = layout.AddressFamily;
const HOUR_US = 3_600_000_000;
const domain = catalogue.fields.find(({ name }) => name === 'destination.domain');

/** A message that answers a question for `name` with addresses. */
function answer(name: string, addresses: readonly string[]): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const found = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...address.split('.').map(Number)]),
  );
  const head = Buffer.from([0, 1, 0x81, 0, 0, 1, 0, addresses.length, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1]), ...found]);
}

function hears(
  host: TestHost,
  process: TestProcess,
  name: string,
  addresses: string[],
  change: EventValues = {},
): void {
  const ends = {
    family: AF_INET,
    protocol: IPPROTO.UDP,
    port: 53,
    address: Buffer.from([10, 0, 0, 53]),
    content: 1,
    egress: false,
  };
  host.event(process, 'Packet', { ...ends, payload: answer(name, addresses), ...change });
}

function connects(host: TestHost, process: TestProcess, address: string): void {
  const to = {
    family: AF_INET,
    type: SOCK.STREAM,
    protocol: IPPROTO.TCP,
    address: Buffer.from(address.split('.').map(Number)),
    port: 443,
  };
  host.event(process, 'Connect', { ...to, localPort: 40_000 });
}

/** Names of the destination of each connect in the next batch. */
function namesOf(enricher: EnricherPipeline, host: TestHost, offset = 0, store?: TestStore): unknown[] {
  const effect = enricher.handle(records(host, [host.batch()], offset));
  store?.apply(effect);
  return effect.outputs.flatMap(({ value }) => {
    const view = new EventView();
    view.open(value ?? new Uint8Array());
    const names: unknown[] = [];
    while (view.next()) if (view.cursor.kind === KIND.Connect) names.push(domain?.get(view));
    return names;
  });
}

test('a peer is called what a name server was asked for, the newest name first, for an hour', () => {
  const host = createTestHost();
  const enricher = createTestEnricher(host);
  const curl = host.exec(host.fork(), '/usr/bin/curl');
  connects(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(enricher, host), [undefined], 'nobody has asked yet');
  hears(host, curl, 'Example.org', ['192.0.2.1', '192.0.2.2']);
  connects(host, curl, '192.0.2.2');
  connects(host, curl, '192.0.2.3');
  assert.deepEqual(namesOf(enricher, host, 1), [['example.org'], undefined]);
  for (const name of ['a.net', 'b.net', 'c.net', 'a.net', 'd.net']) hears(host, curl, name, ['192.0.2.1']);
  connects(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(enricher, host, 2), [['d.net', 'a.net', 'c.net', 'b.net']], 'four at most');
  host.ktime += HOUR_US;
  hears(host, curl, 'e.net', ['192.0.2.1']);
  connects(host, curl, '192.0.2.1');
  connects(host, curl, '192.0.2.2');
  assert.deepEqual(namesOf(enricher, host, 3), [['e.net'], undefined]);
});

test('what is no answer that has arrived says nothing: a question, one that leaves, one that is broken', () => {
  const host = createTestHost();
  const enricher = createTestEnricher(host);
  const named = host.exec(host.fork(), '/usr/sbin/named');
  const question = answer('a.net', ['192.0.2.1']);
  question[2] = 1;
  hears(host, named, 'a.net', ['192.0.2.1'], { payload: question });
  hears(host, named, 'a.net', ['192.0.2.1'], { egress: true });
  hears(host, named, 'a.net', ['192.0.2.1'], { payload: answer('a.net', ['192.0.2.1']).subarray(0, -1) });
  hears(host, named, 'a.net', ['192.0.2.1'], { content: 2 });
  connects(host, named, '192.0.2.1');
  assert.deepEqual(namesOf(enricher, host), [undefined]);
});

test('what a container is told counts for it alone, what the host is told for all', () => {
  const host = createTestHost();
  const enricher = createTestEnricher(host);
  for (const [cgroup, id] of [
    [77n, 'one'],
    [78n, 'other'],
  ] as const)
    host.container({ cgroup, id });
  const [one, other] = [host.fork(host.init, { cgroup: 77n }), host.fork(host.init, { cgroup: 78n })];
  hears(host, host.init, 'bank.example', ['192.0.2.1']);
  hears(host, one, 'made.up', ['192.0.2.1', '192.0.2.2']);
  for (const process of [one, other, host.init])
    for (const address of ['192.0.2.1', '192.0.2.2']) connects(host, process, address);
  assert.deepEqual(namesOf(enricher, host), [
    ['made.up'],
    ['made.up'],
    ['bank.example'],
    undefined,
    ['bank.example'],
    undefined,
  ]);
});

test('a restart forgets no name, and what had to go is gone from the store', async () => {
  const host = createTestHost();
  const first = createTestEnricher(host);
  const store = new TestStore();
  const curl = host.exec(host.fork(), '/usr/bin/curl');
  hears(host, curl, 'example.org', ['192.0.2.1']);
  namesOf(first, host, 0, store);
  const second = createTestEnricher(host);
  await second.restore(store.entries());
  connects(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(second, host, 1, store), [['example.org']]);
  for (let n = 0; n < 8192; n += 32) {
    const addresses = Array.from({ length: 32 }, (_, i) => `198.18.${(n + i) >> 8}.${(n + i) & 255}`);
    hears(host, curl, 'many.example', addresses, { payload: answer('many.example', addresses) });
  }
  connects(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(second, host, 2, store), [undefined]);
  const kept = store.dump().filter((line) => line.includes('/n/'));
  assert.equal(kept.length, 8192);
  assert.equal(second.stats().evicted, 1, 'and is counted');
});
