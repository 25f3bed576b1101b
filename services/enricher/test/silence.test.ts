import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import { type Bus, BusFullError, openEmbeddedBus } from '@ringfence/bus';
import { createTestHost, type TestHost } from '@ringfence/testkit';
import { decode, EventView, TOPIC, topicsWith } from '@ringfence/wire';
import { startEnricher } from '../src/main.ts';
import { type HeardHost, SilenceWatch } from '../src/silence.ts';

const AFTER_MS = 5000;
const SILENT = 1;
const HEARD = 2;

const tick = (sequence: number, left = false): HeardHost['last'] => ({
  run: '0102030405060708',
  sequence,
  ktime: sequence * 1_000_000,
  left,
});
const host = (last: HeardHost['last'], hostId = 'a'): HeardHost => ({ hostId, bootId: 'b', wallOffset: 7, last });

interface Said {
  readonly id: string;
  readonly operation: number;
  readonly lastTick: number;
}

function said(value: Uint8Array): Said[] {
  const view = new EventView();
  view.open(value);
  const bodies = decode('EventBatch', value).events.map(({ event }) => event.body);
  return bodies.flatMap((body) => {
    view.next();
    return 'ringfence.Silence' in body ? [{ id: view.id, ...body['ringfence.Silence'] }] : [];
  });
}

const look = (watch: SilenceWatch, hosts: readonly HeardHost[], now: number): Said[] =>
  watch.look(hosts, now).flatMap(({ value }) => said(value));

describe('a host that does not tick', () => {
  // Whole, and long after every watch was made.
  const start = Math.ceil(performance.now()) + 600_000;

  it('is told once, and so is its end', () => {
    const watch = new SilenceWatch(AFTER_MS, null);
    assert.deepEqual(look(watch, [host(tick(1))], start), []);
    assert.deepEqual(look(watch, [host(tick(2))], start + 4000), []);
    assert.deepEqual(look(watch, [host(tick(2))], start + 8999), []);
    const [silent, ...others] = look(watch, [host(tick(2))], start + 9000);
    assert.deepEqual([silent?.operation, silent?.lastTick, others.length], [SILENT, 2_000_000, 0]);
    assert.deepEqual(look(watch, [host(tick(2))], start + 60_000), []);
    const [heard] = look(watch, [host(tick(3))], start + 61_000);
    assert.deepEqual([heard?.operation, heard?.lastTick], [HEARD, 2_000_000]);
    assert.notEqual(heard?.id, silent?.id);
    assert.equal(look(watch, [host(tick(3))], start + 66_000)[0]?.operation, SILENT);
  });

  it('is not silent when it took its leave, nor while we could not hear', () => {
    const watch = new SilenceWatch(AFTER_MS, null);
    const gone = host(tick(9, true), 'gone');
    look(watch, [gone, host(tick(1))], start);
    watch.deaf(start + 4000);
    assert.deepEqual(look(watch, [gone, host(tick(1))], start + 8000), []);
    assert.equal(look(watch, [gone, host(tick(1))], start + 9000).length, 1);
  });

  it('is the same event when another member says it again', () => {
    const [first, second] = [0, 1].map(() => {
      const watch = new SilenceWatch(AFTER_MS, null);
      look(watch, [host(tick(4))], start);
      return watch.look([host(tick(4))], start + AFTER_MS).map(({ value }) => value.toString('hex'));
    });
    assert.equal(first?.length, 1);
    assert.deepEqual(first, second);
  });
});

describe('the service on a bus', () => {
  async function nextSaid(bus: Bus, after: number): Promise<Said> {
    let seen = 0;
    for await (const { value } of bus.read({ topic: TOPIC.events, follow: true }))
      for (const one of said(value ?? new Uint8Array())) if (seen++ === after) return one;
    return assert.fail('the bus was closed');
  }

  it('tells silence and its end, across a restart as one event, and nothing of who took its leave', async () => {
    const [one, other] = [createTestHost(), createTestHost({ hostId: '6e8f2a51-0000-4000-8000-00000000000f' })];
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const produce = (from: TestHost) => bus.produce([{ topic: TOPIC.raw, key: from.hostId, value: from.batch() }]);
    const keys = { keyFor: (id: string) => (id === one.hostId ? one : other).key.publicKey };
    const start = () => startEnricher({ bus, enrolment: keys, options: { silentAfterMs: 200 } });
    one.tick();
    other.tick(1, true);
    const first = await start();
    await produce(other);
    await produce(one);
    const silent = await nextSaid(bus, 0);
    assert.equal(silent.operation, SILENT);
    assert.ok(silent.id.startsWith(one.hostId));
    await first.close();
    const second = await start();
    const again = await nextSaid(bus, 1);
    assert.deepEqual(again, silent);
    one.tick();
    await produce(one);
    const heard = await nextSaid(bus, 2);
    assert.deepEqual([heard.operation, heard.lastTick], [HEARD, silent.lastTick]);
    await second.close();
  });

  it('tells a silence that the bus would not take at first', async () => {
    const one = createTestHost();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const produce = bus.produce.bind(bus);
    let refused = 0;
    bus.produce = async (records) => {
      if (records.length > 0 && refused++ < 1) throw new BusFullError(1, 1, 0);
      return produce(records);
    };
    one.tick();
    await produce([{ topic: TOPIC.raw, key: one.hostId, value: one.batch() }]);
    const options = { silentAfterMs: 200 };
    const enricher = await startEnricher({ bus, enrolment: { keyFor: () => one.key.publicKey }, options });
    const silent = await nextSaid(bus, 0);
    assert.deepEqual([silent.operation, refused > 1], [SILENT, true]);
    await enricher.close();
  });

  it('tells nobody silent after an outage of the brokers that one of its own requests outlasted', async () => {
    const one = createTestHost();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const produce = () => bus.produce([{ topic: TOPIC.raw, key: one.hostId, value: one.batch() }]);
    const lag = bus.lag.bind(bus);
    let outage: Promise<unknown> = Promise.resolve();
    let answers = 0;
    bus.lag = async (group) => {
      await outage;
      answers++;
      return lag(group);
    };
    one.tick();
    await produce();
    const options = { silentAfterMs: 1200 };
    const enricher = await startEnricher({ bus, enrolment: { keyFor: () => one.key.publicKey }, options });
    while (answers < 2) await sleep(50);
    outage = sleep(2000);
    const before = answers;
    while (answers < before + 3) await sleep(50);
    one.tick();
    await produce();
    while (answers < before + 6) await sleep(50);
    await enricher.close();
    const events: Said[] = [];
    for await (const { value } of bus.read({ topic: TOPIC.events })) events.push(...said(value ?? new Uint8Array()));
    assert.deepEqual(events, []);
  });

  it('says once that it looks too late, for as long as it is starved, and when that is over', async () => {
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const said: string[] = [];
    const note = (_: object, text: string): void => void said.push(text);
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
    const late = /^this enricher looks too late to tell silence: /;
    assert.match(enricher.stats().deaf ?? '', late);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', late);
    while (enricher.stats().deaf !== null) await sleep(100);
    assert.deepEqual(said.slice(1), ['this enricher can tell silence again']);
    await enricher.close();
  });
});
