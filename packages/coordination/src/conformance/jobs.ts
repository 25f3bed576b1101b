import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostponeError } from '../errors.ts';
import type { JobRun } from '../port.ts';
import type { Make } from './driver.ts';
import { job, until } from './helpers.ts';

class Poison extends Error {
  readonly fate = 'poison';
}

export function jobs(make: Make): void {
  test('a job is run with what it carries, byte for byte, whoever added it', async () => {
    const driver = await make();
    const [here, there] = [await driver.connect(), await driver.connect()];
    const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
    const runs: JobRun[] = [];
    await using _ = await there.process('q', async (run) => void runs.push(run));
    await here.add(job('a', { payload }));
    await until('the job ran', () => runs.length === 1);
    assert.deepEqual([runs[0]?.id, runs[0]?.attempt], ['a', 1]);
    assert.deepEqual(Buffer.from(runs[0]?.payload ?? []), Buffer.from(payload));
  });

  test('an id is run once, however often it is added: before, while and after it runs', async () => {
    const driver = await make();
    const here = await driver.connect();
    const gate = Promise.withResolvers<void>();
    const runs: string[] = [];
    for (let i = 0; i < 3; i++) await here.add(job('a'));
    await using _ = await here.process('q', async ({ id }) => {
      runs.push(id);
      if (id === 'a') await gate.promise;
    });
    await until('it runs', () => runs.length === 1);
    await here.add(job('a'));
    gate.resolve();
    await until('it is done', async () => (await here.counts('q')).active === 0);
    await here.add(job('a'));
    await here.add(job('last'));
    await until('the last ran', () => runs.includes('last'));
    assert.deepEqual(runs, ['a', 'last']);
  });

  test('queues do not mix', async () => {
    const driver = await make();
    const here = await driver.connect();
    const runs: string[] = [];
    await using _ = await here.process('other', async ({ id }) => void runs.push(id));
    await here.add(job('a'));
    await here.add(job('a', { queue: 'other' }));
    await until('its own ran', () => runs.length === 1);
    assert.equal((await here.counts('q')).waiting, 1);
  });

  test('a job with a time waits for it, and one that came later goes first', async () => {
    const driver = await make();
    const here = await driver.connect();
    const runs: string[] = [];
    const runAt = Date.now() + 400;
    let ranAt = 0;
    await here.add(job('later', { runAt }));
    assert.deepEqual(await here.counts('q'), { waiting: 0, delayed: 1, active: 0, dead: 0 });
    await using _ = await here.process('q', async ({ id }) => {
      runs.push(id);
      if (id === 'later') ranAt = Date.now();
    });
    await here.add(job('now'));
    await until('both ran', () => runs.length === 2);
    assert.deepEqual(runs, ['now', 'later']);
    assert.ok(ranAt >= runAt, `${ranAt} >= ${runAt}`);
  });

  test('a handler that throws is asked again, later each time, until it does not', async () => {
    const driver = await make();
    const here = await driver.connect();
    const runs: { attempt: number; at: number }[] = [];
    await using _ = await here.process('q', async ({ attempt }) => {
      runs.push({ attempt, at: Date.now() });
      if (attempt < 3) throw new Error('not yet');
    });
    await here.add(job('a', { attempts: 5, backoffMs: 40 }));
    await until('it was done', async () => runs.length === 3 && (await here.counts('q')).active === 0);
    assert.deepEqual(
      runs.map(({ attempt }) => attempt),
      [1, 2, 3],
    );
    const [first, second, third] = runs.map(({ at }) => at) as [number, number, number];
    assert.ok(second - first >= 40 && third - second >= 80, `pauses of ${second - first} and ${third - second} ms`);
    assert.deepEqual(await here.dead('q', 10), []);
    const { done, retried } = here.stats().jobs;
    assert.deepEqual({ done, retried }, { done: 1, retried: 2 });
  });

  test('one that throws each time is a dead letter with its reason, is run no more, and its id stays taken', async () => {
    const driver = await make();
    const here = await driver.connect();
    let runs = 0;
    await using _ = await here.process('q', async () => {
      runs++;
      throw new Error('the agent is gone');
    });
    await here.add(job('a', { attempts: 2, backoffMs: 5 }));
    await until('it is dead', async () => (await here.counts('q')).dead === 1);
    await here.add(job('a'));
    const [letter] = await here.dead('q', 10);
    assert.deepEqual(
      [letter?.id, letter?.reason, letter?.attempts, Buffer.from(letter?.payload ?? []).toString()],
      ['a', 'the agent is gone', 2, 'a'],
    );
    assert.equal(runs, 2);
    assert.equal(here.stats().jobs.dead, 1);
  });

  test('poison is a dead letter at once', async () => {
    const driver = await make();
    const here = await driver.connect();
    let runs = 0;
    await using _ = await here.process('q', async () => {
      runs++;
      throw new Poison('forged');
    });
    await here.add(job('a', { attempts: 100, backoffMs: 1 }));
    await until('it is dead', async () => (await here.counts('q')).dead === 1);
    assert.equal(runs, 1);
  });

  test('one that is postponed is asked again later and has used up no attempt', async () => {
    const driver = await make();
    const here = await driver.connect();
    const attempts: number[] = [];
    await using _ = await here.process('q', async ({ attempt }) => {
      attempts.push(attempt);
      if (attempts.length < 4) throw new PostponeError(20, 'no tokens');
    });
    await here.add(job('a', { attempts: 1 }));
    await until('it ran', () => attempts.length === 4);
    assert.deepEqual(attempts, [1, 1, 1, 1]);
    assert.equal(here.stats().jobs.postponed, 3);
  });

  test('one that has expired is not run, and counted', async () => {
    const driver = await make();
    const here = await driver.connect();
    const runs: string[] = [];
    await here.add(job('old', { expiresAt: Date.now() + 30 }));
    await sleep(40);
    await using _ = await here.process('q', async ({ id }) => void runs.push(id));
    await here.add(job('new'));
    await until('the new one ran', () => runs.length > 0);
    await until('the old one was counted', () => here.stats().jobs.expired === 1);
    assert.deepEqual(runs, ['new']);
  });

  test('no more are in hand than asked for', async () => {
    const driver = await make();
    const here = await driver.connect();
    let [active, most, done] = [0, 0, 0];
    for (let i = 0; i < 10; i++) await here.add(job(`j${i}`));
    const handler = async (): Promise<void> => {
      most = Math.max(most, ++active);
      await sleep(5);
      active--;
      done++;
    };
    await using _ = await here.process('q', handler, { concurrency: 3 });
    await until('all ran', () => done === 10);
    assert.ok(most <= 3 && most > 1, `${most} at a time`);
  });

  test('what a process had in hand when it died is run again, while others come and go', async () => {
    const driver = await make();
    const dying = await driver.connect();
    let begun = 0;
    await dying.process('q', async ({ signal }) => {
      begun++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await dying.add(job('a'));
    await until('it was in hand', () => begun === 1);
    const next = await driver.crash(dying);
    const runs = new Map<string, JobRun>();
    await using _ = await next.process('q', async (run) => void runs.set(run.id, run));
    await until('it ran again', async () => {
      await next.add(job(`other-${runs.size}`));
      return runs.has('a');
    });
    assert.equal(runs.get('a')?.attempt, 1);
  });

  test('closing a worker waits for what is in hand and takes no more', async () => {
    const driver = await make();
    const here = await driver.connect();
    const gate = Promise.withResolvers<void>();
    const runs: string[] = [];
    const worker = await here.process('q', async ({ id }) => {
      runs.push(id);
      await gate.promise;
    });
    await here.add(job('a'));
    await until('it runs', () => runs.length === 1);
    const closed = worker.close();
    await here.add(job('b'));
    gate.resolve();
    await closed;
    assert.deepEqual(runs, ['a']);
    assert.deepEqual(await here.counts('q'), { waiting: 1, delayed: 0, active: 0, dead: 0 });
  });
}
