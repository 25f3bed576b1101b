import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoordinationClosedError } from '../errors.ts';
import type { Make } from './driver.ts';
import { job, until } from './helpers.ts';

export function closing(make: Make): void {
  test('closing ends the workers after what they have in hand, and refuses what comes after', async () => {
    const here = await (await make()).connect();
    let [begun, done] = [0, 0];
    await here.process('q', async ({ signal }) => {
      begun++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      done++;
    });
    await here.add(job('a'));
    await until('it runs', () => begun === 1);
    await here.close();
    assert.equal(done, 1);
    await assert.rejects(here.add(job('b')), CoordinationClosedError);
    await assert.rejects(
      here.process('q', async () => {}),
      CoordinationClosedError,
    );
    await assert.rejects(here.take('k', { rate: 1, burst: 1 }), CoordinationClosedError);
    await here.close();
  });
}
