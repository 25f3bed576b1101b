import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { BULK, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';

const O_CREAT_WRONLY = 0o101;
/** index of rf_control.sleeping[SECURITY], in 32-bit words */
const SLEEPING = 2;
/** Forks as often as a line says, waits for each, and answers. */
const FORKS = 'while read n; do while [ $n -gt 0 ]; do (:); n=$((n - 1)); done; echo done; done';
/** of a fork and its exit, more than RF_LAZY_BYTES of bpf/lib/ring.h; and far less */
const MANY = 300;
const FEW = 10;
/** Others on this machine wake the reader, too: then it is tried again. */
const TRIES = 100;

/** The loop has then looked at what it waits for, wherever in its turn this began. */
async function twoTurns(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

describe('sequences, losses and wake-ups on the running kernel', { skip }, () => {
  let scratch: Scratch;
  let open: string;
  before(() => {
    scratch = new Scratch();
    open = scratch.compile('open');
  });
  after(() => scratch?.[Symbol.dispose]());

  test('numbers have no hole per lane and CPU while the ring has room', async () => {
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

  test('what a full ring loses is counted, leaves a hole, and leaves the other lane alone', async () => {
    using sensor = await TestSensor.start({ bulkRing: 4096 });
    // each CPU has its own numbers
    const onOneCpu = (count: string): Promise<SensorRecord[]> =>
      sensor.run('taskset', ['-c', '0', open, 'openat', `${scratch.path}/file`, String(O_CREAT_WRONLY), count], {
        fillsRings: true,
      });
    const records = await onOneCpu('1000');
    const { sequence, ring_full } = sensor.counters(BULK);
    const seen = sensor.records.filter(({ lane }) => lane === BULK).length;
    assert.ok(ring_full > 900n);
    assert.ok(BigInt(seen) + ring_full <= sequence, 'more may have come since');
    assert.ok(records.some(({ type }) => type === 'rf_exit'));
    assert.equal(sensor.counters(SECURITY).ring_full, 0n);

    // what others open on a busy machine fills so small a ring again and again
    let opened: SensorRecord | undefined;
    for (let tries = 0; opened === undefined && tries < TRIES; tries++)
      opened = (await onOneCpu('1')).filter(({ type }) => type === 'rf_open').at(-1);
    assert.ok(opened !== undefined && opened.header.sequence > 900n, 'the number goes on behind the hole');
  });

  test('a reader that says it sleeps is woken by the next record, once', async () => {
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

  test('forks and exits wake nobody, until so many are there that the ring must not be left alone', async () => {
    using sensor = await TestSensor.start();
    const [ring] = sensor.rings;
    const control = sensor.object.section('.bss').int32('rf_control');
    const shell = spawn('/bin/sh', ['-c', FORKS], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(shell, 'exit');

    /** undefined: something else has happened as well */
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
      const others = sensor.records
        .slice(from)
        .filter(({ lane, type }) => lane === SECURITY && type !== 'rf_fork' && type !== 'rf_exit');
      return before || others.length > 0 ? undefined : wakes;
    }

    async function undisturbed(forks: number): Promise<{ flagTaken: boolean; ready: boolean }> {
      for (let tries = 0; tries < TRIES; tries++) {
        const wakes = await wakesAfter(forks);
        if (wakes !== undefined) return wakes;
      }
      return assert.fail('this machine is never quiet for long enough');
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
