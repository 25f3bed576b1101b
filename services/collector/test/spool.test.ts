import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { BusFullError } from '@ringfence/bus';
import { SpoolError } from '../src/errors.ts';
import { Spool } from '../src/spool/spool.ts';
import type { Finished } from '../src/steps/batch.ts';
import { Delivery } from '../src/steps/deliver.ts';

class Place implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-spool-'));

  segments(): string[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith('.spool'))
      .sort()
      .map((name) => join(this.path, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const numbered = (number: number, bytes = 1000): Buffer => {
  const batch = Buffer.alloc(bytes);
  batch.writeUInt32LE(number);
  return batch;
};
const numbersOf = (batches: readonly Buffer[]): number[] => batches.map((batch) => batch.readUInt32LE());

const skip = process.getuid?.() !== 0 && 'mounting a small disk needs root';

describe('the spool', () => {
  it('gives batches of both classes back in the order they came, and forgets them once taken', () => {
    using place = new Place();
    const spool = new Spool(place.path, 1 << 20);
    for (let number = 1; number <= 9; number++) spool.append(number % 2 ? 'bulk' : 'security', numbered(number), []);
    const first = spool.peek(4500);
    assert.deepEqual(numbersOf(first.batches), [1, 2, 3, 4, 5]);
    assert.deepEqual(numbersOf(spool.peek(4500).batches), [1, 2, 3, 4, 5]);
    spool.taken(first.upTo);
    const rest = spool.peek(1 << 20);
    assert.deepEqual(numbersOf(rest.batches), [6, 7, 8, 9]);
    spool.taken(rest.upTo);
    assert.ok(spool.empty);
    assert.deepEqual(place.segments(), []);
    spool.close();
  });

  it('goes on where it was after it is opened again', () => {
    using place = new Place();
    const before = new Spool(place.path, 1 << 20);
    before.append('security', numbered(1), [[0, 1, 5]]);
    before.append('bulk', numbered(2), [[1, 0, 7]]);
    before.close();
    const after = new Spool(place.path, 1 << 20);
    after.append('security', numbered(3), []);
    assert.deepEqual(numbersOf(after.peek(1 << 20).batches), [1, 2, 3]);
    after.close();
  });

  it('cuts off a torn tail, says how much, and keeps what was whole', () => {
    using place = new Place();
    const before = new Spool(place.path, 1 << 20);
    for (let number = 1; number <= 3; number++) before.append('security', numbered(number), []);
    before.close();
    const [segment = ''] = place.segments();
    const whole = readFileSync(segment).length;
    truncateSync(segment, whole - 10);
    const after = new Spool(place.path, 1 << 20);
    assert.deepEqual(numbersOf(after.peek(1 << 20).batches), [1, 2]);
    assert.equal(after.cutBytes, whole / 3 - 10);
    after.append('security', numbered(4), []);
    assert.deepEqual(numbersOf(after.peek(1 << 20).batches), [1, 2, 4]);
    after.close();
  });

  it('finds a changed byte by its checksum', () => {
    using place = new Place();
    const before = new Spool(place.path, 1 << 20);
    for (let number = 1; number <= 2; number++) before.append('security', numbered(number), []);
    before.close();
    const [segment = ''] = place.segments();
    const bytes = readFileSync(segment);
    bytes[bytes.length - 5] = 0xff;
    writeFileSync(segment, bytes);
    const after = new Spool(place.path, 1 << 20);
    assert.deepEqual(numbersOf(after.peek(1 << 20).batches), [1]);
    assert.ok(after.cutBytes > 0);
    after.close();
  });

  it('counts what goes bad on the disk while it waits, for the next start too', () => {
    using place = new Place();
    const spool = new Spool(place.path, 1 << 20);
    for (let number = 1; number <= 2; number++) spool.append('security', numbered(number), [[0, 3, 5]]);
    const [segment = ''] = place.segments();
    const bytes = readFileSync(segment);
    bytes[bytes.length - 5] = 0xff;
    writeFileSync(segment, bytes);
    assert.deepEqual(numbersOf(spool.peek(1 << 20).batches), [1]);
    assert.equal(spool.dropped(0, 3), 5);
    spool.close();
    const after = new Spool(place.path, 1 << 20);
    assert.equal(after.dropped(0, 3), 5);
    after.close();
  });

  it('survives files of pure noise', () => {
    using place = new Place();
    writeFileSync(join(place.path, 'security-0000000000000001.spool'), Buffer.alloc(5000, 0xa5));
    writeFileSync(join(place.path, 'dropped.json'), '[["0/0",{}],["x",1]');
    const spool = new Spool(place.path, 1 << 20);
    assert.ok(spool.empty);
    assert.equal(spool.cutBytes, 5000);
    spool.close();
  });

  it('drops the oldest bulk batches first when it is full, and counts their events by lane and CPU', () => {
    using place = new Place();
    const spool = new Spool(place.path, 1 << 20);
    for (let number = 1; number <= 300; number++) {
      const bulk = number % 2 === 0;
      spool.append(bulk ? 'bulk' : 'security', numbered(number, 5000), [[bulk ? 1 : 0, 3, 10]]);
      assert.ok(spool.bytes <= 1 << 20);
    }
    const kept = numbersOf(spool.peek(2 << 20).batches);
    assert.equal(spool.dropped(0, 3), 0);
    assert.equal(spool.dropped(1, 3), spool.droppedBatches * 10);
    assert.equal(kept.length + spool.droppedBatches, 300);
    assert.equal(kept.filter((number) => number % 2 === 1).length, 150);
    spool.close();
    const after = new Spool(place.path, 1 << 20);
    assert.equal(after.dropped(1, 3), spool.dropped(1, 3));
    after.close();
  });

  it('drops security batches too when nothing else is left', () => {
    using place = new Place();
    const spool = new Spool(place.path, 1 << 20);
    for (let number = 1; number <= 300; number++) spool.append('security', numbered(number, 5000), [[0, 0, 1]]);
    assert.equal(spool.peek(2 << 20).batches.length + spool.dropped(0, 0), 300);
    assert.equal(numbersOf(spool.peek(2 << 20).batches).at(-1), 300);
    spool.close();
  });

  it('says what is wrong with a directory that it can not use', () => {
    using place = new Place();
    const file = join(place.path, 'file');
    writeFileSync(file, '');
    assert.throws(
      () => new Spool(file, 1 << 20),
      (error: unknown) => error instanceof SpoolError && error.path === file,
    );
  });

  it('holds every batch it acknowledged, whole and in order, after a kill -9 in the middle of writing', async () => {
    using place = new Place();
    const script = join(import.meta.dirname, 'programs/spool-child.ts');
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--conditions=@ringfence/source', script, place.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let printed = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (printed.length > 200 + round * 30) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const acknowledged = Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1));
      const spool = new Spool(place.path, 64 << 20);
      const { batches, upTo } = spool.peek(64 << 20);
      assert.ok(batches.length >= acknowledged && batches.length <= acknowledged + 1);
      batches.forEach((batch, index) => {
        assert.equal(batch.length, 20_001 + index);
        assert.ok(batch.every((byte) => byte === ((index + 1) & 0xff)));
      });
      spool.taken(upTo);
      spool.close();
    }
  });
});

describe('delivery', () => {
  const finished = (number: number, kind: 'security' | 'bulk' = 'security'): Finished => ({
    bytes: numbered(number),
    events: 1,
    kind,
    tally: [],
  });

  /** A bus that takes or refuses, as it is told. */
  class Switch {
    refusing: Error | null = null;
    readonly taken: number[] = [];

    produce(records: readonly { readonly value: Uint8Array | null }[]): Promise<void> {
      if (this.refusing !== null) return Promise.reject(this.refusing);
      for (const { value } of records) this.taken.push(Buffer.from(value as Uint8Array).readUInt32LE());
      return Promise.resolve();
    }
  }

  const setUp = (place: Place, maxBytes = 1 << 20) => {
    const bus = new Switch();
    const spool = new Spool(place.path, maxBytes);
    const clock = { now: 0 };
    const delivery = new Delivery({ bus, spool, hostId: 'h', log: silentLog, now: () => clock.now });
    return { bus, spool, clock, delivery };
  };

  it('keeps the order when the bus goes away and comes back', async () => {
    using place = new Place();
    const { bus, spool, clock, delivery } = setUp(place);
    await delivery.deliver([finished(1)]);
    bus.refusing = new BusFullError(1, 1, 1);
    await delivery.deliver([finished(2), finished(3, 'bulk')]);
    bus.refusing = null;
    await delivery.deliver([finished(4)]);
    assert.deepEqual(bus.taken, [1]);
    clock.now += delivery.retryInMs;
    await delivery.drain();
    assert.ok(!delivery.spooling);
    await delivery.deliver([finished(5)]);
    assert.deepEqual(bus.taken, [1, 2, 3, 4, 5]);
    assert.equal(delivery.refusals, 1);
    assert.equal(delivery.events, 5);
    spool.close();
  });

  it('catches up in parts, so that the rings are read in between', async () => {
    using place = new Place();
    const { bus, spool, clock, delivery } = setUp(place, 64 << 20);
    bus.refusing = new BusFullError(1, 1, 1);
    const large = (n: number): Finished => ({
      ...finished(n),
      bytes: Buffer.concat([numbered(n), Buffer.alloc(3 << 20)]),
    });
    await delivery.deliver([large(1), large(2), large(3)]);
    bus.refusing = null;
    clock.now += delivery.retryInMs;
    await delivery.drain();
    assert.ok(bus.taken.length > 0 && bus.taken.length < 3, `one part brought ${bus.taken.length} of 3`);
    assert.equal(delivery.retryInMs, 0);
    while (delivery.spooling) await delivery.drain();
    assert.deepEqual(bus.taken, [1, 2, 3]);
    spool.close();
  });

  it('waits longer after each refusal, up to two seconds', async () => {
    using place = new Place();
    const { bus, spool, clock, delivery } = setUp(place);
    bus.refusing = Object.assign(new Error('away'), { fate: 'retriable' });
    await delivery.deliver([finished(1)]);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      waits.push(delivery.retryInMs);
      clock.now += delivery.retryInMs;
      await delivery.drain();
      assert.ok(delivery.spooling);
    }
    assert.deepEqual(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    spool.close();
  });

  it('brings what the full disk has no room for to the bus as soon as that is there again', { skip }, async () => {
    using place = new Place();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place.path]);
    const bus = new Switch();
    const spool = new Spool(place.path, 1 << 20);
    const delivery = new Delivery({ bus, spool, hostId: 'h', log: silentLog });
    try {
      bus.refusing = new BusFullError(1, 1, 1);
      await delivery.deliver([finished(1)]);
      assert.throws(() => writeFileSync(join(place.path, 'other'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
      const large = { ...finished(2, 'bulk'), bytes: numbered(2, 20_000) };
      const delivered = delivery.deliver([large, finished(3, 'bulk')]);
      bus.refusing = null;
      assert.equal(await Promise.race([delivered, sleep(5000, 'waits')]), undefined);
      assert.deepEqual(bus.taken, [1, 2, 3]);
      assert.ok(!delivery.spooling);
    } finally {
      delivery.giveUp();
      spool.close();
      execFileSync('umount', ['--lazy', place.path]);
    }
  });

  it('passes on an error that waiting does not mend, and spools nothing', async () => {
    using place = new Place();
    const { bus, spool, delivery } = setUp(place);
    bus.refusing = new Error('topic unknown');
    await assert.rejects(delivery.deliver([finished(1)]), /topic unknown/);
    assert.ok(spool.empty);
    spool.close();
  });
});
