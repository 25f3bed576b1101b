import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BULK, Scratch, SECURITY, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const O_CREAT_WRONLY = 0o101;
/** index of rf_control.sleeping[SECURITY], in 32-bit words */
const SLEEPING = 2;
/** Reads numbers. For each, forks that many times, waits for every child, and prints a line. */
const FORKS = 'while read n; do while [ $n -gt 0 ]; do (:); n=$((n - 1)); done; echo done; done';
/** Numbers of forks. MANY forks and exits exceed RF_LAZY_BYTES of bpf/lib/ring.h, FEW are far below. */
const MANY = 300;
const FEW = 10;
/** Unrelated processes wake the reader as well. The test is repeated then. */
const TRIES = 100;

/** After two turns the event loop has polled at least once, wherever in a turn this began. */
async function twoTurns(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

describe('sequence numbers, losses and wake-ups on the running kernel', { skip }, () => {
  let scratch: Scratch;
  let open: string;
  before(() => {
    scratch = new Scratch();
    open = scratch.compile('open');
  });
  after(() => scratch?.[Symbol.dispose]());

  test('sequence numbers per lane and CPU have no gap while the ring has space', async () => {
    using sensor = await TestSensor.start({ fresh: true });
    await sensor.run(open, ['openat', `${scratch.path}/file`, String(O_CREAT_WRONLY), '500']);
    sensor.drain();
    for (const lane of [SECURITY, BULK]) {
      const next = new Map<number, bigint>();
      for (const { header } of sensor.records.filter((record) => record.lane === lane)) {
        assert.equal(header.sequence, next.get(header.cpu) ?? 1n);
        next.set(header.cpu, header.sequence + 1n);
      }
      assert.equal(sensor.counters(lane).ring_full, 0n);
    }
  });

  test('records lost to a full ring are counted and leave a gap, and the other lane loses none', async () => {
    using sensor = await TestSensor.start({ bulkRing: 4096 });
    // each CPU has its own sequence numbers
    const onOneCpu = (count: string): Promise<SensorRecord[]> =>
      sensor.run('taskset', ['-c', '0', open, 'openat', `${scratch.path}/file`, String(O_CREAT_WRONLY), count], {
        fillsRings: true,
      });
    const records = await onOneCpu('1000');
    const { sequence, ring_full } = sensor.counters(BULK);
    const seen = sensor.records.filter(({ lane }) => lane === BULK).length;
    assert.ok(ring_full > 900n);
    assert.ok(BigInt(seen) + ring_full <= sequence, 'more records arrived than the kernel sent');
    assert.ok(records.some(({ type }) => type === 'rf_exit'));
    assert.equal(sensor.counters(SECURITY).ring_full, 0n);

    // On a busy machine, opens of unrelated processes fill this small ring again and again.
    let opened: SensorRecord | undefined;
    for (let tries = 0; opened === undefined && tries < TRIES; tries++)
      opened = (await onOneCpu('1')).filter(({ type }) => type === 'rf_open').at(-1);
    assert.ok(opened !== undefined && opened.header.sequence > 900n, 'the sequence number continues after the gap');
  });

  test('the next record wakes a sleeping reader, once', async () => {
    using sensor = await TestSensor.start();
    const [ring] = sensor.rings;
    sensor.drain();
    const control = sensor.object.section('.bss').int32('rf_control');
    Atomics.store(control, SLEEPING, 1);
    const woken = ring.wait(10_000);
    await once(spawn('/bin/true', { stdio: 'ignore' }), 'exit');
    assert.equal(await woken, true);
    assert.equal(Atomics.load(control, SLEEPING), 0);
    sensor.drain();
    assert.ok(sensor.records.some(({ type }) => type === 'rf_exit'));
  });

  test('forks and exits do not wake the reader until a fixed number of bytes is pending', async () => {
    using sensor = await TestSensor.start();
    const [ring] = sensor.rings;
    const control = sensor.object.section('.bss').int32('rf_control');
    const shell = spawn('/bin/sh', ['-c', FORKS], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(shell, 'exit');

    /** Returns undefined if unrelated records arrived. */
    async function wakesAfter(forks: number): Promise<{ flagTaken: boolean; ready: boolean } | undefined> {
      let ready = false;
      const stop = new AbortController();
      sensor.drain();
      const from = sensor.records.length;
      Atomics.store(control, SLEEPING, 1);
      void ring.wait(60_000, stop.signal).then(() => {
        ready = true;
      });
      await twoTurns();
      const before = ready;
      shell.stdin.write(`${forks}\n`);
      await once(shell.stdout, 'data');
      await twoTurns();
      const wakes = { flagTaken: Atomics.load(control, SLEEPING) === 0, ready };
      stop.abort();
      sensor.drain();
      const unrelated = sensor.records
        .slice(from)
        .filter(({ lane, type }) => lane === SECURITY && type !== 'rf_fork' && type !== 'rf_exit');
      return before || unrelated.length > 0 ? undefined : wakes;
    }

    async function undisturbed(forks: number): Promise<{ flagTaken: boolean; ready: boolean }> {
      for (let tries = 0; tries < TRIES; tries++) {
        const wakes = await wakesAfter(forks);
        if (wakes !== undefined) return wakes;
      }
      return assert.fail('unrelated processes disturbed every attempt; run this test on a quiet machine');
    }

    try {
      assert.deepEqual(await undisturbed(FEW), { flagTaken: false, ready: false });
      assert.deepEqual(await undisturbed(MANY), { flagTaken: true, ready: true });
    } finally {
      shell.stdin.end();
      await ended;
    }
  });
});
