import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BpfError, BpfObject, type RingBuffer } from '../src/index.ts';
import { compile, scratch, skip, skipPins } from './kernel.ts';

interface ProduceRequest {
  count: number;
  length?: number;
  discardEvery?: number;
  wake?: boolean;
}

describe('ring buffer on the running kernel', { skip }, () => {
  let directory: ReturnType<typeof scratch>;
  let path: string;
  let object: BpfObject;
  let ring: RingBuffer;

  before(() => {
    directory = scratch();
    path = compile('ring', directory.path);
  });
  after(() => directory[Symbol.dispose]());
  beforeEach(() => {
    object = BpfObject.open(path).load();
    ring = object.map('ring').ringBuffer();
  });
  afterEach(() => {
    ring[Symbol.dispose]();
    object[Symbol.dispose]();
  });

  function produce({ count, length = 8, discardEvery = 0, wake = false }: ProduceRequest): void {
    const request = Uint32Array.of(count, length, discardEvery, wake ? 1 : 0);
    object.program('produce').run({ context: new Uint8Array(request.buffer) });
  }

  function drain(): bigint[] {
    const values: bigint[] = [];
    while (ring.next()) values.push(ring.view.getBigUint64(ring.offset, true));
    return values;
  }

  test('reads records in the order they were written, without consuming them', () => {
    produce({ count: 3 });
    ring.begin();
    assert.deepEqual(drain(), [1n, 2n, 3n]);
    ring.begin();
    assert.deepEqual(drain(), [1n, 2n, 3n]);
    assert.equal(ring.unreleasedBytes(), 48);
    ring.release();
    assert.equal(ring.unreleasedBytes(), 0);
    ring.begin();
    assert.deepEqual(drain(), []);
  });

  test('returns the length of each record and skips discarded records', () => {
    produce({ count: 5, length: 100, discardEvery: 2 });
    ring.begin();
    const seen: [bigint, number][] = [];
    while (ring.next()) seen.push([ring.view.getBigUint64(ring.offset, true), ring.length]);
    assert.deepEqual(seen, [
      [2n, 100],
      [4n, 100],
    ]);
    ring.release();
    assert.equal(ring.pendingBytes(), 0);
  });

  test('reads a record that wraps around the end of the ring as contiguous bytes', () => {
    let expected = 1n;
    let wrapped = 0;
    for (let round = 0; round < 60; round++) {
      produce({ count: 7, length: 100 });
      ring.begin();
      while (ring.next()) {
        assert.equal(ring.view.getBigUint64(ring.offset, true), expected++);
        if (ring.offset + ring.length > ring.size) wrapped++;
      }
      ring.release();
    }
    assert.equal(expected, 421n);
    assert.ok(wrapped > 0, 'no record wrapped around');
  });

  test('a full ring refuses records until a record is released', () => {
    produce({ count: 300 });
    assert.equal(object.globals['written'], 255n);
    assert.equal(object.globals['refused'], 45n);
    ring.begin();
    for (let index = 0; index < 10; index++) ring.next();
    ring.release();
    produce({ count: 11 });
    assert.equal(object.globals['written'], 265n);
    assert.equal(object.globals['refused'], 46n);
  });

  test('releases the records before a mark and keeps those after it', () => {
    produce({ count: 4 });
    ring.begin();
    ring.next();
    ring.next();
    const mark = ring.mark();
    ring.next();
    ring.release(mark);
    ring.begin();
    assert.deepEqual(drain(), [3n, 4n]);
    assert.throws(() => ring.rewind(mark - 16), { code: 'ERR_BPF_USAGE' });
    ring.rewind(mark);
    ring.resume();
    assert.deepEqual(drain(), [3n, 4n]);
  });

  test('resume continues after records that were read and not released', () => {
    produce({ count: 2 });
    ring.begin();
    assert.deepEqual(drain(), [1n, 2n]);
    produce({ count: 2 });
    assert.equal(ring.next(), false);
    ring.resume();
    assert.deepEqual(drain(), [3n, 4n]);
    ring.release();
    assert.equal(ring.unreleasedBytes(), 0);
  });

  test('the next reader starts at the first unreleased record', () => {
    produce({ count: 3 });
    ring.begin();
    ring.next();
    ring.release();
    ring[Symbol.dispose]();
    ring = object.map('ring').ringBuffer();
    ring.begin();
    assert.deepEqual(drain(), [2n, 3n]);
  });

  test('stops before a record that another process reserved and did not submit yet', {
    skip: skipPins,
    timeout: 20_000,
  }, async () => {
    const pin = `/sys/fs/bpf/rf-test-${process.pid}-hold`;
    object.program('produce_slowly').pin(pin);
    object.globals['hold'] = 1;
    const code = `import { PinnedProgram } from '@ringfence/libbpf-ts'; PinnedProgram.open(process.argv[1]).run();`;
    const child = spawn(process.execPath, ['--conditions=@ringfence/source', '--input-type=module', '-e', code, pin], {
      stdio: 'inherit',
      cwd: import.meta.dirname,
    });
    try {
      while (ring.pendingBytes() === 0 && child.exitCode === null) await sleep(5);
      ring.begin();
      assert.equal(ring.next(), false);
      assert.equal(ring.busy, true);
      assert.equal(await ring.wait(60_000), true, 'a record that is being written counts as pending');
      produce({ count: 1 });
      ring.resume();
      assert.equal(ring.next(), false, 'a record after a busy record must wait');
      object.globals['hold'] = 0;
      if (child.exitCode === null) await once(child, 'exit');
      ring.begin();
      assert.deepEqual(drain(), [1n, 2n]);
    } finally {
      object.globals['hold'] = 0;
      object.program('produce_slowly').unpin(pin);
    }
  });

  test('a ring outlives its object', async () => {
    produce({ count: 1 });
    object[Symbol.dispose]();
    ring.begin();
    assert.deepEqual(drain(), [1n]);
    ring.release();
    assert.equal(await ring.wait(1), false);
  });

  test('wait resolves when the kernel wakes the reader and at its timeout', async () => {
    assert.equal(await ring.wait(1), false);
    const woken = ring.wait(60_000);
    await sleep(5);
    produce({ count: 1, wake: true });
    assert.equal(await woken, true);
    assert.equal(await ring.wait(60_000), true, 'wait returns at once while records are pending');
  });

  test('wait detects new records while older records are unreleased', async () => {
    produce({ count: 1 });
    ring.begin();
    ring.next();
    const waiting = ring.wait(60_000);
    produce({ count: 1, wake: true });
    assert.equal(await waiting, true);
    ring.resume();
    assert.deepEqual(drain(), [2n]);
  });

  test('endWaits ends all waits at once, and later waits work', async () => {
    const [first, second] = [ring.wait(60_000), ring.wait(60_000)];
    ring.endWaits();
    assert.deepEqual(await Promise.all([first, second]), [false, false]);
    const woken = ring.wait(60_000);
    produce({ count: 1, wake: true });
    assert.equal(await woken, true);
  });

  test('wait ends at once on abort and on dispose', async () => {
    const controller = new AbortController();
    const aborted = ring.wait(60_000, controller.signal);
    const second = ring.wait(60_000);
    controller.abort();
    assert.equal(await aborted, false);
    ring[Symbol.dispose]();
    assert.equal(await second, false);
  });

  test('poll yields batches, releases each after its body, and arms the wake-up before it sleeps', async () => {
    const values: bigint[] = [];
    const controller = new AbortController();
    let armed = 0;
    produce({ count: 3 });
    const arm = (): void => {
      armed++;
      if (armed === 1) setTimeout(() => produce({ count: 2, wake: true }), 10);
      else controller.abort();
    };
    for await (const batch of ring.poll({
      intervalMs: 1,
      backoffMs: 4,
      sleepMs: 60_000,
      arm,
      signal: controller.signal,
    })) {
      while (batch.next()) values.push(batch.view.getBigUint64(batch.offset, true));
    }
    assert.deepEqual(values, [1n, 2n, 3n, 4n, 5n]);
    assert.equal(ring.unreleasedBytes(), 0);
    assert.equal(armed, 2);
  });

  test('the next reader gets the batch of a poll that breaks', async () => {
    produce({ count: 3 });
    for await (const batch of ring.poll()) {
      batch.next();
      break;
    }
    ring.begin();
    assert.deepEqual(drain(), [1n, 2n, 3n]);
  });

  test('use after dispose throws instead of reading freed memory', async () => {
    const { view, bytes } = ring;
    ring[Symbol.dispose]();
    ring[Symbol.dispose]();
    assert.throws(() => ring.begin(), { code: 'ERR_BPF_DISPOSED' });
    assert.throws(() => ring.pendingBytes(), { code: 'ERR_BPF_DISPOSED' });
    await assert.rejects(ring.wait(1), (error) => error instanceof BpfError && error.code === 'ERR_BPF_DISPOSED');
    assert.throws(() => view.getUint8(0), TypeError);
    assert.equal(bytes.length, 0);
  });
});
