import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue } from '@ringfence/fields';
import { createSyntheticHost, type EventValues, type SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { EventView, IPPROTO, KIND, records as layout, SOCK } from '@ringfence/wire';
import type { EnricherPipeline } from '../src/pipeline.ts';
import { createTestEnricher, records, TestStore } from './support.ts';

const { AF_INET } = layout.AddressFamily;
const HOUR_US = 3_600_000_000;
const domain = catalogue.fields.find(({ name }) => name === 'destination.domain');

/** Returns a DNS message that answers a question for `name` with addresses. */
function answer(name: string, addresses: readonly string[]): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const found = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...address.split('.').map(Number)]),
  );
  const head = Buffer.from([0, 1, 0x81, 0, 0, 1, 0, addresses.length, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1]), ...found]);
}

function receiveAnswer(
  host: SyntheticHost,
  process: SyntheticProcess,
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

function connect(host: SyntheticHost, process: SyntheticProcess, address: string): void {
  const to = {
    family: AF_INET,
    type: SOCK.STREAM,
    protocol: IPPROTO.TCP,
    address: Buffer.from(address.split('.').map(Number)),
    port: 443,
  };
  host.event(process, 'Connect', { ...to, localPort: 40_000 });
}

/** Returns the names of the destination of each connect in the next batch. */
function namesOf(enricher: EnricherPipeline, host: SyntheticHost, offset = 0, store?: TestStore): unknown[] {
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

test('a peer has the names of the DNS questions that it answered, the newest first, for an hour', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const curl = host.exec(host.fork(), '/usr/bin/curl');
  connect(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(enricher, host), [undefined], 'no question yet');
  receiveAnswer(host, curl, 'Example.org', ['192.0.2.1', '192.0.2.2']);
  connect(host, curl, '192.0.2.2');
  connect(host, curl, '192.0.2.3');
  assert.deepEqual(namesOf(enricher, host, 1), [['example.org'], undefined]);
  for (const name of ['a.net', 'b.net', 'c.net', 'a.net', 'd.net']) receiveAnswer(host, curl, name, ['192.0.2.1']);
  connect(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(enricher, host, 2), [['d.net', 'a.net', 'c.net', 'b.net']], 'four at most');
  host.ktime += HOUR_US;
  receiveAnswer(host, curl, 'e.net', ['192.0.2.1']);
  connect(host, curl, '192.0.2.1');
  connect(host, curl, '192.0.2.2');
  assert.deepEqual(namesOf(enricher, host, 3), [['e.net'], undefined]);
});

test('only a valid answer that arrives gives names: not a question, an outgoing or a malformed message', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const named = host.exec(host.fork(), '/usr/sbin/named');
  const question = answer('a.net', ['192.0.2.1']);
  question[2] = 1;
  receiveAnswer(host, named, 'a.net', ['192.0.2.1'], { payload: question });
  receiveAnswer(host, named, 'a.net', ['192.0.2.1'], { egress: true });
  receiveAnswer(host, named, 'a.net', ['192.0.2.1'], { payload: answer('a.net', ['192.0.2.1']).subarray(0, -1) });
  receiveAnswer(host, named, 'a.net', ['192.0.2.1'], { content: 2 });
  connect(host, named, '192.0.2.1');
  assert.deepEqual(namesOf(enricher, host), [undefined]);
});

test('an answer to a container counts for that container only, an answer to the host for all', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  for (const [cgroup, id] of [
    [77n, 'first'],
    [78n, 'second'],
  ] as const)
    host.container({ cgroup, id });
  const [first, second] = [host.fork(host.init, { cgroup: 77n }), host.fork(host.init, { cgroup: 78n })];
  receiveAnswer(host, host.init, 'bank.example', ['192.0.2.1']);
  receiveAnswer(host, first, 'made.up', ['192.0.2.1', '192.0.2.2']);
  for (const process of [first, second, host.init])
    for (const address of ['192.0.2.1', '192.0.2.2']) connect(host, process, address);
  assert.deepEqual(namesOf(enricher, host), [
    ['made.up'],
    ['made.up'],
    ['bank.example'],
    undefined,
    ['bank.example'],
    undefined,
  ]);
});

test('names survive a restart, and evicted ones are deleted from the store', async () => {
  const host = createSyntheticHost();
  const first = createTestEnricher(host);
  const store = new TestStore();
  const curl = host.exec(host.fork(), '/usr/bin/curl');
  receiveAnswer(host, curl, 'example.org', ['192.0.2.1']);
  namesOf(first, host, 0, store);
  const second = createTestEnricher(host);
  await second.restore(store.entries());
  connect(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(second, host, 1, store), [['example.org']]);
  for (let n = 0; n < 8192; n += 32) {
    const addresses = Array.from({ length: 32 }, (_, i) => `198.18.${(n + i) >> 8}.${(n + i) & 255}`);
    receiveAnswer(host, curl, 'many.example', addresses, { payload: answer('many.example', addresses) });
  }
  connect(host, curl, '192.0.2.1');
  assert.deepEqual(namesOf(second, host, 2, store), [undefined]);
  const kept = store.dump().filter((line) => line.includes('/n/'));
  assert.equal(kept.length, 8192);
  assert.equal(second.stats().evicted, 1, 'the eviction is counted');
});
