import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgumentError } from '../errors.ts';
import type { Coordination } from '../port.ts';
import type { MakeDriver } from './driver.ts';
import { job } from './helpers.ts';

const NAMES = ['', 'a:b', 'a b', 'x'.repeat(257), "'; DROP TABLE jobs; --", '*', 'a\nb', 'ключ'];

export function hostile(make: MakeDriver): void {
  const cases: readonly {
    readonly description: string;
    readonly call: (coordination: Coordination) => Promise<unknown>;
  }[] = [
    ...NAMES.flatMap((name) => [
      {
        description: `a lease named ${JSON.stringify(name.slice(0, 30))}`,
        call: (coordination: Coordination) => coordination.acquire(name, 'o', 1000),
      },
      {
        description: `a job named ${JSON.stringify(name.slice(0, 30))}`,
        call: (coordination: Coordination) => coordination.add(job(name)),
      },
    ]),
    { description: 'an owner with a space', call: (coordination) => coordination.acquire('l', 'a b', 1000) },
    {
      description: 'a lease that never expires',
      call: (coordination) => coordination.acquire('l', 'o', Number.POSITIVE_INFINITY),
    },
    {
      description: 'a payload above the limit',
      call: (coordination) => coordination.add(job('a', { payload: Buffer.alloc(2 ** 20 + 1) })),
    },
    {
      description: 'a job that never expires',
      call: (coordination) => coordination.add(job('a', { expiresAt: Number.POSITIVE_INFINITY })),
    },
    { description: 'a job without attempts', call: (coordination) => coordination.add(job('a', { attempts: 0 })) },
    { description: 'a bucket that never fills', call: (coordination) => coordination.take('k', { rate: 0, burst: 1 }) },
    {
      description: 'taking more than the capacity of a bucket',
      call: (coordination) => coordination.take('k', { rate: 1, burst: 1 }, 2),
    },
    { description: 'a window of no length', call: (coordination) => coordination.once('k', 0) },
    { description: 'an increment that is not an integer', call: (coordination) => coordination.count('k', 0.5, 1000) },
  ];
  for (const { description, call } of cases) {
    test(`${description} is refused and has no effect`, async () => {
      const coordination = await (await make()).connect();
      await assert.rejects(call(coordination), BadArgumentError);
      assert.deepEqual(await coordination.counts('q'), { waiting: 0, delayed: 0, active: 0, dead: 0 });
    });
  }
}
