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

/** `inRing` and `underWay` are remainders: neither may be negative, and a ring with records must hold bytes. */
function assertBalanced({ account, pendingBytes }: CollectorStats): void {
  for (const { lane, inRing, underWay, ...flow } of account.lanes) {
    const bytes = lane === LANE.security ? pendingBytes.security : pendingBytes.bulk;
    assert.ok(inRing === 0 || (inRing > 0 && bytes > 0), `lane ${lane}: ${inRing} in a ring of ${bytes} bytes`);
    assert.ok(underWay >= 0, `lane ${lane}: ${underWay} ${JSON.stringify(flow)}`);
  }
}

describe('the account of a collector on the running kernel', { skip: kernelSkip() }, () => {
  const place = new TestPlace();
  const cgroup = join(kernelSkip() === false ? cgroupRoot() : '', `rf-account-${process.pid}`);
  const gate = { away: false, held: Promise.resolve(), release: (): void => undefined };
  let memory: Bus;
  let collector: Collector;
  let cgroupId: bigint;

  before(async () => {
    memory = await memoryBus();
    const bus: Pick<Bus, 'produce'> = {
      produce: async (records) => {
        await gate.held;
        if (gate.away) throw new BusFullError(1, 1, 1);
        return memory.produce(records);
      },
    };
    mkdirSync(cgroup);
    cgroupId = statSync(cgroup, { bigint: true }).ino;
    // Small rings: shares apply only while a ring is more than half full.
    const rings = { ringSecurityBytes: 1 << 20, ringBulkBytes: 1 << 20 };
    collector = await startTestCollector(place, bus, { sharePerSecond: 1, shareBurst: 10, tickMs: 50, ...rings });
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
    events.filter((event) => bodyOf(event, 'Throttled') !== undefined && u64ToBigInt(event.cgroup, 0) === cgroupId);

  it('balances while batches wait in the spool, and after they are delivered', async () => {
    gate.away = true;
    execFileSync('/bin/true');
    await collector.settle();
    const stats = collector.stats();
    assertBalanced(stats);
    assert.ok(stats.account.lanes.some(({ waiting }) => waiting > 0));
    gate.away = false;
    while (collector.stats().spool.batches > 0) await collector.settle();
    assertBalanced(collector.stats());
    for (const { waiting, dropped } of collector.stats().account.lanes) assert.equal(waiting + dropped, 0);
  });

  it('reports by kind how much of a cgroup was throttled while the rings were not read', async () => {
    gate.held = new Promise((resolve) => {
      gate.release = resolve;
    });
    flood();
    const { throttled } = collector.stats().account;
    gate.release();
    const opens = throttled.find((entry) => entry.cgroup === String(cgroupId) && entry.kind === 'open');
    assert.ok((opens?.count ?? 0) > FLOOD / 2, JSON.stringify(throttled));
    let reported: Event[] = [];
    while (reported.length === 0) {
      await collector.settle();
      reported = throttledOf(await readEvents(memory));
    }
    const count = reported.reduce((sum, event) => sum + (bodyOf(event, 'Throttled')?.count ?? 0), 0);
    assert.equal(count, opens?.count);
    assert.deepEqual(new Set(reported.map((event) => bodyOf(event, 'Throttled')?.ofKind)), new Set(['open']));
    assert.deepEqual(new Set(reported.map(({ lane }) => lane)), new Set([LANE.context]));
  });

  it('has no event under way after the collector is closed', async () => {
    await collector.close();
    const stats = collector.stats();
    assertBalanced(stats);
    // Hooks outlive their pins for a moment: their last records may be left in the ring that is removed.
    for (const { underWay, waiting } of stats.account.lanes) assert.equal(underWay + waiting, 0);
    const events = await readEvents(memory);
    for (const { lane, delivered } of stats.account.lanes)
      assert.equal(events.filter((event) => event.lane === lane).length, delivered);
  });
});
