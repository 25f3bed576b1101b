import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import { type Bus, BusFullError, openEmbeddedBus } from '@ringfence/bus';
import { createSyntheticHost, type SyntheticHost } from '@ringfence/synthetic';
import { decode, EventView, TOPIC, topicsWith } from '@ringfence/wire';
import { startEnricher } from '../src/main.ts';
import { SilenceWatch, type TickingHost } from '../src/silence-watch.ts';

const AFTER_MS = 5000;
const SILENT = 1;
const RESUMED = 2;

const tick = (sequence: number, isFinal = false): TickingHost['last'] => ({
  run: '0102030405060708',
  sequence,
  ktime: sequence * 1_000_000,
  isFinal,
});
const tickingHost = (last: TickingHost['last'], hostId = 'a'): TickingHost => ({
  hostId,
  bootId: 'b',
  wallOffset: 7,
  last,
});

interface Report {
  readonly id: string;
  readonly operation: number;
  readonly lastTick: number;
}

function reportsIn(value: Uint8Array): Report[] {
  const view = new EventView();
  view.open(value);
  const bodies = decode('EventBatch', value).events.map(({ event }) => event.body);
  return bodies.flatMap((body) => {
    view.next();
    return 'ringfence.Silence' in body ? [{ id: view.id, ...body['ringfence.Silence'] }] : [];
  });
}

const check = (watch: SilenceWatch, hosts: readonly TickingHost[], now: number): Report[] =>
  watch.check(hosts, now).flatMap(({ value }) => reportsIn(value));

describe('a host that does not tick', () => {
  // An integer, and long after each watch was created.
  const start = Math.ceil(performance.now()) + 600_000;

  it('is reported once, and so is the end of its silence', () => {
    const watch = new SilenceWatch(AFTER_MS, null);
    assert.deepEqual(check(watch, [tickingHost(tick(1))], start), []);
    assert.deepEqual(check(watch, [tickingHost(tick(2))], start + 4000), []);
    assert.deepEqual(check(watch, [tickingHost(tick(2))], start + 8999), []);
    const [silent, ...rest] = check(watch, [tickingHost(tick(2))], start + 9000);
    assert.deepEqual([silent?.operation, silent?.lastTick, rest.length], [SILENT, 2_000_000, 0]);
    assert.deepEqual(check(watch, [tickingHost(tick(2))], start + 60_000), []);
    const [resumed] = check(watch, [tickingHost(tick(3))], start + 61_000);
    assert.deepEqual([resumed?.operation, resumed?.lastTick], [RESUMED, 2_000_000]);
    assert.notEqual(resumed?.id, silent?.id);
    assert.equal(check(watch, [tickingHost(tick(3))], start + 66_000)[0]?.operation, SILENT);
  });

  it('is not reported if its agent announced its end, or while the enricher could not receive', () => {
    const watch = new SilenceWatch(AFTER_MS, null);
    const ended = tickingHost(tick(9, true), 'ended');
    check(watch, [ended, tickingHost(tick(1))], start);
    watch.suspendUntil(start + 4000);
    assert.deepEqual(check(watch, [ended, tickingHost(tick(1))], start + 8000), []);
    assert.equal(check(watch, [ended, tickingHost(tick(1))], start + 9000).length, 1);
  });

  it('is the same event when another member reports it', () => {
    const [first, second] = [0, 1].map(() => {
      const watch = new SilenceWatch(AFTER_MS, null);
      check(watch, [tickingHost(tick(4))], start);
      return watch.check([tickingHost(tick(4))], start + AFTER_MS).map(({ value }) => value.toString('hex'));
    });
    assert.equal(first?.length, 1);
    assert.deepEqual(first, second);
  });
});

describe('the service', () => {
  async function reportAt(bus: Bus, index: number): Promise<Report> {
    let seen = 0;
    for await (const { value } of bus.read({ topic: TOPIC.events, follow: true }))
      for (const report of reportsIn(value ?? new Uint8Array())) if (seen++ === index) return report;
    return assert.fail('the bus was closed');
  }

  it('reports a silence and its end, as the same event after a restart, and no host whose agent ended', async () => {
    const silentHost = createSyntheticHost();
    const endedHost = createSyntheticHost({ hostId: '6e8f2a51-0000-4000-8000-00000000000f' });
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const produce = (from: SyntheticHost) => bus.produce([{ topic: TOPIC.raw, key: from.hostId, value: from.batch() }]);
    const keys = { keyFor: (id: string) => (id === silentHost.hostId ? silentHost : endedHost).key.publicKey };
    const start = () => startEnricher({ bus, enrolment: keys, options: { silentAfterMs: 200 } });
    silentHost.tick();
    endedHost.tick(1, true);
    const first = await start();
    await produce(endedHost);
    await produce(silentHost);
    const silent = await reportAt(bus, 0);
    assert.equal(silent.operation, SILENT);
    assert.ok(silent.id.startsWith(silentHost.hostId));
    await first.close();
    const second = await start();
    const again = await reportAt(bus, 1);
    assert.deepEqual(again, silent);
    silentHost.tick();
    await produce(silentHost);
    const resumed = await reportAt(bus, 2);
    assert.deepEqual([resumed.operation, resumed.lastTick], [RESUMED, silent.lastTick]);
    await second.close();
  });

  it('reports a silence that the bus refused at first', async () => {
    const host = createSyntheticHost();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const produce = bus.produce.bind(bus);
    let refused = 0;
    bus.produce = async (records) => {
      if (records.length > 0 && refused++ < 1) throw new BusFullError(1, 1, 0);
      return produce(records);
    };
    host.tick();
    await produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
    const options = { silentAfterMs: 200 };
    const enricher = await startEnricher({ bus, enrolment: { keyFor: () => host.key.publicKey }, options });
    const silent = await reportAt(bus, 0);
    assert.deepEqual([silent.operation, refused > 1], [SILENT, true]);
    await enricher.close();
  });

  it('reports no silence after an outage of the brokers during one of its own requests', async () => {
    const host = createSyntheticHost();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const produce = () => bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
    const lag = bus.lag.bind(bus);
    let outage: Promise<unknown> = Promise.resolve();
    let answers = 0;
    bus.lag = async (group) => {
      await outage;
      answers++;
      return lag(group);
    };
    host.tick();
    await produce();
    const options = { silentAfterMs: 1200 };
    const enricher = await startEnricher({ bus, enrolment: { keyFor: () => host.key.publicKey }, options });
    while (answers < 2) await sleep(50);
    outage = sleep(2000);
    const before = answers;
    while (answers < before + 3) await sleep(50);
    host.tick();
    await produce();
    while (answers < before + 6) await sleep(50);
    await enricher.close();
    const events: Report[] = [];
    for await (const { value } of bus.read({ topic: TOPIC.events }))
      events.push(...reportsIn(value ?? new Uint8Array()));
    assert.deepEqual(events, []);
  });

  it('logs once that its checks run too late while it lacks CPU, and the end of that', async () => {
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const logged: string[] = [];
    const note = (_: object, text: string): void => void logged.push(text);
    const log = { info: note, warn: note, error: note } as unknown as Log;
    const enricher = await startEnricher({
      ...{ bus, log },
      enrolment: { keyFor: () => undefined },
      options: { silentAfterMs: 1200 },
    });
    const starved = new Int32Array(new SharedArrayBuffer(4));
    while (enricher.stats().deafLooks.late < 3) {
      Atomics.wait(starved, 0, 0, 1100);
      await sleep(20);
    }
    const late = /^this enricher can't judge silence: its checks run too late, /;
    assert.match(enricher.stats().deaf ?? '', late);
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', late);
    while (enricher.stats().deaf !== null) await sleep(100);
    assert.deepEqual(logged.slice(1), ['this enricher can judge silence again']);
    await enricher.close();
  });
});
