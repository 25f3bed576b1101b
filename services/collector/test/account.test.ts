import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bus, BusFullError } from '@ringfence/bus';
import {
  bodyOf,
  cgroupRoot,
  kernelSkip,
  memoryBus,
  readEvents,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
import { type Event, LANE, u64ToBigInt } from '@ringfence/wire';
import type { Collector } from '../src/main.ts';
import type { CollectorStats } from '../src/metrics.ts';

const FLOOD = 30_000;

/** `inRing` and `underWay` are what is left of the others: so nothing may be missing, and what is said to wait in a ring must be there. */
function assertWhole({ account, pendingBytes }: CollectorStats): void {
  for (const { lane, inRing, underWay, ...flow } of account.lanes) {
    const bytes = lane === LANE.security ? pendingBytes.security : pendingBytes.bulk;
    assert.ok(inRing === 0 || (inRing > 0 && bytes > 0), `lane ${lane}: ${inRing} in a ring of ${bytes} bytes`);
    assert.ok(underWay >= 0, `lane ${lane}: ${underWay} ${JSON.stringify(flow)}`);
  }
}

describe('the account of a collector on the running kernel', { skip: kernelSkip() }, () => {
  const place = new TestPlace();
  const cgroup = join(kernelSkip() === false ? cgroupRoot() : '', `rf-account-${process.pid}`);
  const bus = { away: false, held: Promise.resolve(), release: (): void => undefined };
  let memory: Bus;
  let collector: Collector;
  let id: bigint;

  before(async () => {
    memory = await memoryBus();
    const gated: Pick<Bus, 'produce'> = {
      produce: async (records) => {
        await bus.held;
        if (bus.away) throw new BusFullError(1, 1, 1);
        return memory.produce(records);
      },
    };
    mkdirSync(cgroup);
    id = statSync(cgroup, { bigint: true }).ino;
    // A share is asked of a cgroup once a ring is half full.
    const rings = { ringSecurityBytes: 1 << 20, ringBulkBytes: 1 << 20 };
    collector = await startTestCollector(place, gated, { sharePerSecond: 1, shareBurst: 10, tickMs: 50, ...rings });
  });
  after(async () => {
    await collector?.close();
    rmdirSync(cgroup);
    await memory?.close();
    place[Symbol.dispose]();
  });

  function flood(): void {
    const script = `echo $$ > ${cgroup}/cgroup.procs; i=0; while [ $i -lt ${FLOOD} ]; do : > ${place.directory}/flood; i=$((i+1)); done`;
    execFileSync('/bin/sh', ['-c', script]);
  }

  const throttledOf = (events: readonly Event[]): Event[] =>
    events.filter((event) => bodyOf(event, 'Throttled') !== undefined && u64ToBigInt(event.cgroup, 0) === id);

  it('adds up while batches wait in the spool, and after they have gone', async () => {
    bus.away = true;
    execFileSync('/bin/true');
    await collector.settle();
    const stats = collector.stats();
    assertWhole(stats);
    assert.ok(stats.account.lanes.some(({ waiting }) => waiting > 0));
    bus.away = false;
    while (collector.stats().spool.batches > 0) await collector.settle();
    assertWhole(collector.stats());
    for (const { waiting, dropped } of collector.stats().account.lanes) assert.equal(waiting + dropped, 0);
  });

  it('tells what a cgroup had beyond its share while the rings were not read, by kind', async () => {
    bus.held = new Promise((resolve) => {
      bus.release = resolve;
    });
    flood();
    const { throttled } = collector.stats().account;
    bus.release();
    const own = throttled.find((one) => one.cgroup === String(id) && one.kind === 'open');
    assert.ok((own?.count ?? 0) > FLOOD / 2, JSON.stringify(throttled));
    let told: Event[] = [];
    while (told.length === 0) {
      await collector.settle();
      told = throttledOf(await readEvents(memory));
    }
    const count = told.reduce((sum, event) => sum + (bodyOf(event, 'Throttled')?.count ?? 0), 0);
    assert.equal(count, own?.count);
    assert.deepEqual(new Set(told.map((event) => bodyOf(event, 'Throttled')?.ofKind)), new Set(['open']));
    assert.deepEqual(new Set(told.map(({ lane }) => lane)), new Set([LANE.context]));
  });

  it('has nothing under way once the collector is closed', async () => {
    await collector.close();
    const stats = collector.stats();
    assertWhole(stats);
    // Hooks go a moment after their pins: what they wrote then stands in a ring that is gone, and is said to.
    for (const { underWay, waiting } of stats.account.lanes) assert.equal(underWay + waiting, 0);
    const events = await readEvents(memory);
    for (const { lane, delivered } of stats.account.lanes)
      assert.equal(events.filter((event) => event.lane === lane).length, delivered);
  });
});
