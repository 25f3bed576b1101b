import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { BusFullError } from '@ringfence/bus';
import { SyntheticHost } from '@ringfence/synthetic';
import { LANE } from '@ringfence/wire';
import { type BatchClass, type SignedBatch, toSignedBatch } from '../src/delivery/batch.ts';
import { type Outbox, openOutbox } from '../src/delivery/outbox.ts';
import { numbered, numberOf, SpoolDirectory } from './spool-directory.ts';

const skip = process.getuid?.() !== 0 && 'mounting a small disk needs root';

function createBatch(number: number, batchClass: BatchClass = 'security', bytes = 1000): SignedBatch {
  return { bytes: numbered(number, bytes), events: 1, batchClass, tally: [] };
}

/** Accepts batches, or rejects them with `error`. */
class FakeBus {
  error: Error | null = null;
  readonly accepted: number[] = [];

  produce(records: readonly { readonly value: Uint8Array | null }[]): Promise<void> {
    if (this.error !== null) return Promise.reject(this.error);
    for (const { value } of records) this.accepted.push(numberOf(value as Uint8Array));
    return Promise.resolve();
  }
}

interface Setup {
  readonly bus: FakeBus;
  readonly clock: { now: number };
  readonly outbox: Outbox;
}

function setUp({ path }: SpoolDirectory, spoolMaxBytes = 1 << 20): Setup {
  const bus = new FakeBus();
  const clock = { now: 0 };
  const now = (): number => clock.now;
  const outbox = openOutbox({ bus, hostId: 'h', spoolPath: path, spoolMaxBytes, log: silentLog, now });
  return { bus, clock, outbox };
}

describe('the outbox', () => {
  it('keeps the order when the bus goes away and comes back', async () => {
    using directory = new SpoolDirectory();
    const { bus, clock, outbox } = setUp(directory);
    await outbox.send([createBatch(1)]);
    bus.error = new BusFullError(1, 1, 1);
    await outbox.send([createBatch(2), createBatch(3, 'bulk')]);
    bus.error = null;
    await outbox.send([createBatch(4)]);
    assert.deepEqual(bus.accepted, [1]);
    clock.now += outbox.retryInMs;
    await outbox.drain();
    assert.ok(!outbox.isSpooling);
    await outbox.send([createBatch(5)]);
    assert.deepEqual(bus.accepted, [1, 2, 3, 4, 5]);
    const { refusals, events } = outbox.stats();
    assert.deepEqual({ refusals, events }, { refusals: 1, events: 5 });
    outbox.close();
  });

  it('drains a large spool in steps, so that the rings are read in between', async () => {
    using directory = new SpoolDirectory();
    const { bus, clock, outbox } = setUp(directory, 64 << 20);
    bus.error = new BusFullError(1, 1, 1);
    await outbox.send([1, 2, 3].map((number) => createBatch(number, 'security', 3 << 20)));
    bus.error = null;
    clock.now += outbox.retryInMs;
    await outbox.drain();
    assert.ok(bus.accepted.length > 0 && bus.accepted.length < 3, `one step sent ${bus.accepted.length} of 3`);
    assert.equal(outbox.retryInMs, 0);
    while (outbox.isSpooling) await outbox.drain();
    assert.deepEqual(bus.accepted, [1, 2, 3]);
    outbox.close();
  });

  it('doubles the backoff after each refusal, up to two seconds', async () => {
    using directory = new SpoolDirectory();
    const { bus, clock, outbox } = setUp(directory);
    bus.error = Object.assign(new Error('away'), { fate: 'retriable' });
    await outbox.send([createBatch(1)]);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      waits.push(outbox.retryInMs);
      clock.now += outbox.retryInMs;
      await outbox.drain();
      assert.ok(outbox.isSpooling);
    }
    assert.deepEqual(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    outbox.close();
  });

  it('sends batches that a full disk has no room for once the bus is back', { skip }, async () => {
    using directory = new SpoolDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory.path]);
    const bus = new FakeBus();
    const outbox = openOutbox({ bus, hostId: 'h', spoolPath: directory.path, spoolMaxBytes: 1 << 20, log: silentLog });
    try {
      bus.error = new BusFullError(1, 1, 1);
      await outbox.send([createBatch(1)]);
      assert.throws(() => writeFileSync(join(directory.path, 'ballast'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
      const sent = outbox.send([createBatch(2, 'bulk', 20_000), createBatch(3, 'bulk')]);
      bus.error = null;
      assert.equal(await Promise.race([sent, sleep(5000, 'still waiting')]), undefined);
      assert.deepEqual(bus.accepted, [1, 2, 3]);
      assert.ok(!outbox.isSpooling);
    } finally {
      outbox.stopWaiting();
      outbox.close();
      execFileSync('umount', ['--lazy', directory.path]);
    }
  });

  it('passes on an error that waiting does not mend, and spools nothing', async () => {
    using directory = new SpoolDirectory();
    const { bus, outbox } = setUp(directory);
    bus.error = new Error('topic unknown');
    await assert.rejects(outbox.send([createBatch(1)]), /topic unknown/);
    assert.ok(!outbox.isSpooling);
    outbox.close();
  });

  it('accounts for the events of an encoded batch, delivered or waiting', async () => {
    using directory = new SpoolDirectory();
    const { bus, outbox } = setUp(directory);
    const host = new SyntheticHost();
    const batchOf = (execs: number): SignedBatch => {
      for (let n = 0; n < execs; n++) host.spawn(host.init, '/bin/true');
      return toSignedBatch(host.batch());
    };
    const first = batchOf(3);
    await outbox.send([first]);
    bus.error = new BusFullError(1, 1, 1);
    const second = batchOf(2);
    await outbox.send([second]);
    const { delivered, waiting } = outbox.flow(LANE.security);
    assert.deepEqual({ delivered, waiting }, { delivered: first.events, waiting: second.events });
    outbox.close();
  });
});
