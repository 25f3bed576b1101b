import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostponeError } from '../errors.ts';
import type { JobRun } from '../port.ts';
import type { MakeDriver } from './driver.ts';
import { job, until } from './helpers.ts';

class Poison extends Error {
  readonly fate = 'poison';
}

export function jobs(make: MakeDriver): void {
  test('a job runs with its payload in another process than the one that added it', async () => {
    const driver = await make();
    const [coordination, peer] = [await driver.connect(), await driver.connect()];
    const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
    const runs: JobRun[] = [];
    await using _ = await peer.process('q', async (run) => void runs.push(run));
    await coordination.add(job('a', { payload }));
    await until('the job ran', () => runs.length === 1);
    assert.deepEqual([runs[0]?.id, runs[0]?.attempt], ['a', 1]);
    assert.deepEqual(Buffer.from(runs[0]?.payload ?? []), Buffer.from(payload));
  });

  test('a job runs once even if its id is added again before, during and after the run', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const gate = Promise.withResolvers<void>();
    const runs: string[] = [];
    for (let i = 0; i < 3; i++) await coordination.add(job('a'));
    await using _ = await coordination.process('q', async ({ id }) => {
      runs.push(id);
      if (id === 'a') await gate.promise;
    });
    await until('it runs', () => runs.length === 1);
    await coordination.add(job('a'));
    gate.resolve();
    await until('the job is done', async () => (await coordination.counts('q')).active === 0);
    await coordination.add(job('a'));
    await coordination.add(job('last'));
    await until('the last job ran', () => runs.includes('last'));
    assert.deepEqual(runs, ['a', 'last']);
  });

  test('a worker runs the jobs of its queue only', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const runs: string[] = [];
    await using _ = await coordination.process('other', async ({ id }) => void runs.push(id));
    await coordination.add(job('a'));
    await coordination.add(job('a', { queue: 'other' }));
    await until('the job of the queue ran', () => runs.length === 1);
    assert.equal((await coordination.counts('q')).waiting, 1);
  });

  test('a delayed job waits until its time, while a job that was added later runs first', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const runs: string[] = [];
    const runAt = Date.now() + 400;
    let ranAt = 0;
    await coordination.add(job('later', { runAt }));
    assert.deepEqual(await coordination.counts('q'), { waiting: 0, delayed: 1, active: 0, dead: 0 });
    await using _ = await coordination.process('q', async ({ id }) => {
      runs.push(id);
      if (id === 'later') ranAt = Date.now();
    });
    await coordination.add(job('now'));
    await until('both jobs ran', () => runs.length === 2);
    assert.deepEqual(runs, ['now', 'later']);
    assert.ok(ranAt >= runAt, `${ranAt} >= ${runAt}`);
  });

  test('a job whose handler throws is retried with a growing backoff until it succeeds', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const runs: { attempt: number; at: number }[] = [];
    await using _ = await coordination.process('q', async ({ attempt }) => {
      runs.push({ attempt, at: Date.now() });
      if (attempt < 3) throw new Error('not yet');
    });
    await coordination.add(job('a', { attempts: 5, backoffMs: 40 }));
    await until('the job was done', async () => runs.length === 3 && (await coordination.counts('q')).active === 0);
    assert.deepEqual(
      runs.map(({ attempt }) => attempt),
      [1, 2, 3],
    );
    const [first, second, third] = runs.map(({ at }) => at) as [number, number, number];
    assert.ok(second - first >= 40 && third - second >= 80, `pauses of ${second - first} and ${third - second} ms`);
    assert.deepEqual(await coordination.dead('q', 10), []);
    const { done, retried } = coordination.stats().jobs;
    assert.deepEqual({ done, retried }, { done: 1, retried: 2 });
  });

  test('a job without attempts left becomes a dead letter with its reason, and its id cannot be added again', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    let runs = 0;
    await using _ = await coordination.process('q', async () => {
      runs++;
      throw new Error('the agent is gone');
    });
    await coordination.add(job('a', { attempts: 2, backoffMs: 5 }));
    await until('the job is dead', async () => (await coordination.counts('q')).dead === 1);
    await coordination.add(job('a'));
    const [letter] = await coordination.dead('q', 10);
    assert.deepEqual(
      [letter?.id, letter?.reason, letter?.attempts, Buffer.from(letter?.payload ?? []).toString()],
      ['a', 'the agent is gone', 2, 'a'],
    );
    assert.equal(runs, 2);
    assert.equal(coordination.stats().jobs.dead, 1);
  });

  test('a job whose handler throws a poison error becomes a dead letter at once', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    let runs = 0;
    await using _ = await coordination.process('q', async () => {
      runs++;
      throw new Poison('forged');
    });
    await coordination.add(job('a', { attempts: 100, backoffMs: 1 }));
    await until('the job is dead', async () => (await coordination.counts('q')).dead === 1);
    assert.equal(runs, 1);
  });

  test('a postponed job runs again later without using up an attempt', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const attempts: number[] = [];
    await using _ = await coordination.process('q', async ({ attempt }) => {
      attempts.push(attempt);
      if (attempts.length < 4) throw new PostponeError(20, 'no tokens');
    });
    await coordination.add(job('a', { attempts: 1 }));
    await until('the job ran', () => attempts.length === 4);
    assert.deepEqual(attempts, [1, 1, 1, 1]);
    assert.equal(coordination.stats().jobs.postponed, 3);
  });

  test('an expired job is counted and does not run', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const runs: string[] = [];
    await coordination.add(job('old', { expiresAt: Date.now() + 30 }));
    await sleep(40);
    await using _ = await coordination.process('q', async ({ id }) => void runs.push(id));
    await coordination.add(job('new'));
    await until('the new job ran', () => runs.length > 0);
    await until('the old job was counted', () => coordination.stats().jobs.expired === 1);
    assert.deepEqual(runs, ['new']);
  });

  test('a worker runs at most `concurrency` jobs at a time', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    let [active, maxActive, done] = [0, 0, 0];
    for (let i = 0; i < 10; i++) await coordination.add(job(`j${i}`));
    const handler = async (): Promise<void> => {
      maxActive = Math.max(maxActive, ++active);
      await sleep(5);
      active--;
      done++;
    };
    await using _ = await coordination.process('q', handler, { concurrency: 3 });
    await until('all ran', () => done === 10);
    assert.ok(maxActive <= 3 && maxActive > 1, `${maxActive} at a time`);
  });

  test('a job of a crashed process runs again, while other jobs are added', async () => {
    const driver = await make();
    const dying = await driver.connect();
    let started = 0;
    await dying.process('q', async ({ signal }) => {
      started++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await dying.add(job('a'));
    await until('the job was running', () => started === 1);
    const next = await driver.crash(dying);
    const runs = new Map<string, JobRun>();
    await using _ = await next.process('q', async (run) => void runs.set(run.id, run));
    await until('the job ran again', async () => {
      await next.add(job(`other-${runs.size}`));
      return runs.has('a');
    });
    assert.equal(runs.get('a')?.attempt, 1);
  });

  test('closing a worker waits for its running jobs and takes no more', async () => {
    const driver = await make();
    const coordination = await driver.connect();
    const gate = Promise.withResolvers<void>();
    const runs: string[] = [];
    const worker = await coordination.process('q', async ({ id }) => {
      runs.push(id);
      await gate.promise;
    });
    await coordination.add(job('a'));
    await until('it runs', () => runs.length === 1);
    const closed = worker.close();
    await coordination.add(job('b'));
    gate.resolve();
    await closed;
    assert.deepEqual(runs, ['a']);
    assert.deepEqual(await coordination.counts('q'), { waiting: 1, delayed: 0, active: 0, dead: 0 });
  });
}
