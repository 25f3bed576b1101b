import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, endsWithin, pause, Waiter, withDeadline } from '../src/index.ts';

const later = <T>(ms: number, value: T): Promise<T> => sleep(ms, value);
const failing = async (ms: number, error: Error): Promise<never> => {
  await sleep(ms);
  throw error;
};

/** Work that ends only when the test ends it. */
function openEnded(): PromiseWithResolvers<string> {
  return Promise.withResolvers<string>();
}

describe('backoffMs', () => {
  test('doubles the pause with each failure, up to the maximum', () => {
    const backoff = { firstMs: 100, maxMs: 1000, jitter: false };
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, backoff)),
      [100, 200, 400, 800, 1000, 1000],
    );
  });

  test('with jitter the pause is between half of it and all of it', () => {
    const pauses = Array.from({ length: 1000 }, () => backoffMs(1, { firstMs: 100, maxMs: 1000 }));
    assert.ok(pauses.every((ms) => ms >= 100 && ms <= 200));
    assert.ok(new Set(pauses).size > 900, 'clients spread their retries');
  });

  test('a first pause above the maximum is cut to the maximum', () => {
    assert.equal(backoffMs(0, { firstMs: 5000, maxMs: 1000, jitter: false }), 1000);
  });

  test('any number of failures gives a finite pause', () => {
    for (const attempt of [30, 1000, 1e9])
      assert.ok(Number.isFinite(backoffMs(attempt, { firstMs: 1, maxMs: Number.POSITIVE_INFINITY })));
  });
});

describe('withDeadline', () => {
  test('resolves with the result of work that ends in time', async () => {
    assert.equal(await withDeadline(later(1, 'done'), 60_000, () => new Error('late')), 'done');
  });

  test('rejects with the error of work that fails in time', async () => {
    const failure = new Error('broken');
    await assert.rejects(
      withDeadline(failing(1, failure), 60_000, () => new Error('late')),
      failure,
    );
  });

  test('rejects with the error of onLate, which is called once and can cancel the work', async () => {
    const { promise, reject } = openEnded();
    let calls = 0;
    const late = withDeadline(promise, 5, () => {
      calls++;
      // The error of cancelled work must not surface as an unhandled rejection.
      reject(new Error('cancelled'));
      return new Error('no answer within 5 ms');
    });
    await assert.rejects(late, /no answer within 5 ms/);
    await sleep(10);
    assert.equal(calls, 1);
  });

  test('does not call onLate after the work has ended', async () => {
    let calls = 0;
    await withDeadline(later(1, null), 20, () => {
      calls++;
      return new Error('late');
    });
    await sleep(40);
    assert.equal(calls, 0);
  });
});

describe('endsWithin', () => {
  test('is true for work that ends in time, and false for work that takes longer', async () => {
    const { promise, resolve } = openEnded();
    assert.equal(await endsWithin(later(1, null), 60_000), true);
    assert.equal(await endsWithin(promise, 5), false);
    resolve('end');
  });

  test('rejects with the error of the work', async () => {
    await assert.rejects(endsWithin(failing(1, new Error('broken')), 60_000), /broken/);
  });
});

describe('pause', () => {
  test('waits at least as long as it was asked to', async () => {
    const started = performance.now();
    await pause(20);
    // A timer may fire up to a millisecond early.
    assert.ok(performance.now() - started >= 19);
  });

  test('ends without an error when its signal aborts, or has aborted before', async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    await pause(3_600_000, stop.signal);
    await pause(3_600_000, stop.signal);
  });

  test('with ref: false, does not keep the process alive', async () => {
    const waits = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const stop = new AbortController();
    const paused = pause(3_600_000, stop.signal, { ref: false });
    assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length, waits);
    stop.abort();
    await paused;
  });
});

describe('a waiter', () => {
  test('is woken by wake, and by its signal', async () => {
    const waiter = new Waiter();
    const waiting = waiter.wait();
    waiter.wake();
    await waiting;
    const stop = new AbortController();
    const stopped = waiter.wait(stop.signal);
    stop.abort();
    await stopped;
    await waiter.wait(stop.signal);
  });
});
