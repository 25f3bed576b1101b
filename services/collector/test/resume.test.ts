/** No event is lost uncounted when agents are killed or replaced, the bus is away, or a ring overflows. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, BusFullError, openEmbeddedBus } from '@ringfence/bus';
import {
  assertCounted,
  COLLECTOR_PROGRAM,
  eventsOf,
  execsWith,
  kernelSkip,
  memoryBus,
  missingNumbers,
  readBatches,
  readEvents,
  runOnce,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
import { type Event, LANE, topicsWith, u64ToHex } from '@ringfence/wire';

/** `failpoint`: point of the pipeline, and the number of passes after which the child kills itself there. */
async function startChild(
  place: TestPlace,
  busFile: string,
  ...failpoint: string[]
): Promise<ReturnType<typeof spawn>> {
  const program = ['--conditions=@ringfence/source', COLLECTOR_PROGRAM];
  const args = [...program, place.directory, place.pinPath, busFile, ...failpoint];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => assert.fail(`the child ended with ${code}`));
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

/** Lets another collector drain the rings: each missing event must be counted, each marker's exec have one identity. */
async function assertComplete(place: TestPlace, busFile: string, markers: readonly string[]): Promise<void> {
  await using bus = await openEmbeddedBus({ path: busFile });
  await bus.ensureTopics(topicsWith(1));
  const collector = await startTestCollector(place, bus);
  assert.equal(collector.stats().resumed, true);
  await collector.close();
  const batches = await readBatches(bus);
  assert.equal(new Set(batches.map(({ run }) => u64ToHex(run))).size, 1);
  const events = eventsOf(batches);
  const ids = (list: readonly Event[]): Set<string> =>
    new Set(list.map(({ lane, cpu, sequence }) => `${lane}/${cpu}/${sequence}`));
  const lost = assertCounted(batches);
  for (const marker of markers) {
    const found = ids(execsWith(events, marker)).size;
    assert.ok(found === 1 || (found === 0 && lost > 0), `${marker}: ${found} identities`);
  }
  const agentEvents = events.filter(({ lane }) => lane === LANE.tick || lane === LANE.context);
  assert.equal(ids(agentEvents).size, agentEvents.length, 'an identity was given twice');
}

describe('a collector that is interrupted', { skip: kernelSkip() }, () => {
  it('loses nothing to a kill -9: the next start drains the records written in between', async () => {
    using place = new TestPlace();
    const busFile = join(place.directory, 'bus.db');
    const child = await startChild(place, busFile);
    const markers = Array.from({ length: 40 }, (_, index) => `marker-${process.pid}-kill-${index}`);
    for (const marker of markers.slice(0, 20)) runOnce(marker);
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const marker of markers.slice(20)) runOnce(marker);

    await assertComplete(place, busFile, markers);
  });

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    it(`loses and duplicates nothing when it is killed ${point}`, async () => {
      using place = new TestPlace();
      const busFile = join(place.directory, 'bus.db');
      const child = await startChild(place, busFile, point, '3');
      const exited = once(child, 'exit');
      const markers = Array.from({ length: 12 }, (_, index) => `marker-${process.pid}-${point}-${index}`);
      for (const marker of markers) {
        runOnce(marker);
        await sleep(5);
      }
      await exited;
      await assertComplete(place, busFile, markers);
    });
  }

  it('drains the rings of another sensor before it replaces that sensor', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const first = await startTestCollector(place, bus, { keepPinned: true });
    const { run } = first.stats();
    await first.close();
    const marker = `marker-${process.pid}-replaced`;
    runOnce(marker);
    const second = await startTestCollector(place, bus, { ringBulkBytes: 1 << 23 });
    const stats = second.stats();
    assert.equal(stats.resumed, false);
    assert.notEqual(stats.run, run);
    await second.close();
    assert.equal(existsSync(place.pinPath), false);
    const ofFirst = (await readBatches(bus)).filter((batch) => u64ToHex(batch.run) === run);
    assert.equal(execsWith(eventsOf(ofFirst), marker).length, 1);
    assertCounted(ofFirst);
  });

  it('replaces a sensor whose ring was removed', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    await (await startTestCollector(place, bus, { keepPinned: true })).close();
    rmSync(join(place.pinPath, 'rf_ring_bulk'));
    await using collector = await startTestCollector(place, bus);
    assert.equal(collector.stats().resumed, false);
  });

  it('reports the drops of a full spool for the whole run, and not for the next run', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const dropped = async (keepPinned: boolean): Promise<unknown[]> => {
      const from = (await readBatches(bus)).length;
      const collector = await startTestCollector(place, bus, { keepPinned });
      await collector.close();
      const lanes = (await readBatches(bus)).slice(from).flatMap((batch) => batch.lanes);
      return [...new Set(lanes.filter(({ lane }) => lane === LANE.tick).map(({ drops }) => drops['spool_full']))];
    };
    assert.deepEqual(await dropped(true), [undefined]);
    writeFileSync(join(place.directory, 'spool', 'dropped.json'), `[["${LANE.tick}/0",7]]`);
    assert.deepEqual(await dropped(false), [7]);
    assert.deepEqual(await dropped(false), [undefined]);
  });

  it('loses nothing while the bus is away: the spool keeps the batches and their order', async () => {
    using place = new TestPlace();
    await using memory = await memoryBus();
    const away = { now: false };
    const bus: Pick<Bus, 'produce'> = {
      produce: (records) => (away.now ? Promise.reject(new BusFullError(1, 1, 1)) : memory.produce(records)),
    };
    const collector = await startTestCollector(place, bus, { tickMs: 20 });
    const markers = Array.from({ length: 12 }, (_, index) => `marker-${process.pid}-away-${index}`);
    for (const [index, marker] of markers.entries()) {
      away.now = index >= 4 && index < 8;
      runOnce(marker);
      await collector.settle();
      if (index === 7) assert.ok(collector.stats().spool.batches > 0);
    }
    while (collector.stats().spool.batches > 0) await collector.settle();
    await collector.close();
    const batches = await readBatches(memory);
    const events = eventsOf(batches);
    assert.deepEqual(
      markers.map((marker) => execsWith(events, marker).length),
      markers.map(() => 1),
    );
    assertCounted(batches);
    for (const lane of [LANE.tick, LANE.context]) assert.deepEqual(missingNumbers(events, lane), []);
    const order = events.filter(({ lane }) => lane === LANE.tick).map(({ sequence }) => sequence);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  });

  it('accounts for every record of a flood that its ring is too small for', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const collector = await startTestCollector(place, bus, { ringBulkBytes: 1 << 16, pollIntervalMs: 200 });
    const file = join(place.directory, 'flood');
    execFileSync('/bin/sh', ['-c', `i=0; while [ $i -lt 4000 ]; do : > ${file}; i=$((i+1)); done`]);
    await collector.close();
    const events = (await readEvents(bus)).filter(({ lane }) => lane === LANE.bulk);
    const ofBulk = collector.stats().lanes.filter(({ lane }) => lane === LANE.bulk);
    const taken = ofBulk.reduce((sum, { sequence }) => sum + sequence, 0);
    const lost = ofBulk.reduce((sum, { drops }) => sum + (drops['ring_full'] ?? 0), 0);
    assert.ok(lost > 0);
    assert.equal(events.length + lost, taken);
  });

  it('stops at an error of the bus that waiting does not mend, and leaves the records in the rings', async () => {
    using place = new TestPlace();
    await using memory = await memoryBus();
    const broken = { now: false };
    const bus: Pick<Bus, 'produce'> = {
      produce: (records) => (broken.now ? Promise.reject(new Error('no such topic')) : memory.produce(records)),
    };
    const collector = await startTestCollector(place, bus, { tickMs: 10 });
    broken.now = true;
    const marker = `marker-${process.pid}-broken`;
    runOnce(marker);
    await assert.rejects(collector.done, /no such topic/);
    await assert.rejects(collector.settle(), { code: 'ERR_COLLECTOR_CLOSED' });
    await assert.rejects(collector.close(), /no such topic/);
    const again = await startTestCollector(place, memory);
    assert.equal(again.stats().resumed, true);
    await again.close();
    assert.equal(execsWith(await readEvents(memory), marker).length, 1);
  });
});
