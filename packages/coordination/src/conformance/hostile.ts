import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgumentError } from '../errors.ts';
import type { Coordination } from '../port.ts';
import type { Make } from './driver.ts';
import { job } from './helpers.ts';

const NAMES = ['', 'a:b', 'a b', 'x'.repeat(257), "'; DROP TABLE jobs; --", '*', 'a\nb', 'ключ'];

export function hostile(make: Make): void {
  const bad: readonly { readonly what: string; readonly ask: (on: Coordination) => Promise<unknown> }[] = [
    ...NAMES.flatMap((name) => [
      {
        what: `a lease named ${JSON.stringify(name.slice(0, 30))}`,
        ask: (on: Coordination) => on.acquire(name, 'o', 1000),
      },
      { what: `a job named ${JSON.stringify(name.slice(0, 30))}`, ask: (on: Coordination) => on.add(job(name)) },
    ]),
    { what: 'an owner with a space', ask: (on) => on.acquire('l', 'a b', 1000) },
    { what: 'a lease for ever', ask: (on) => on.acquire('l', 'o', Number.POSITIVE_INFINITY) },
    { what: 'a payload without bound', ask: (on) => on.add(job('a', { payload: Buffer.alloc(2 ** 20 + 1) })) },
    { what: 'a job that never ends', ask: (on) => on.add(job('a', { expiresAt: Number.POSITIVE_INFINITY })) },
    { what: 'a job without attempts', ask: (on) => on.add(job('a', { attempts: 0 })) },
    { what: 'a bucket that never fills', ask: (on) => on.take('k', { rate: 0, burst: 1 }) },
    { what: 'more than a bucket holds', ask: (on) => on.take('k', { rate: 1, burst: 1 }, 2) },
    { what: 'a window without an end', ask: (on) => on.once('k', 0) },
    { what: 'half a count', ask: (on) => on.count('k', 0.5, 1000) },
  ];
  for (const { what, ask } of bad) {
    test(`${what} is refused, and nothing happens`, async () => {
      const here = await (await make()).connect();
      await assert.rejects(ask(here), BadArgumentError);
      assert.deepEqual(await here.counts('q'), { waiting: 0, delayed: 0, active: 0, dead: 0 });
    });
  }
}
