import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoordinationClosedError } from '../errors.ts';
import type { MakeDriver } from './driver.ts';
import { job, until } from './helpers.ts';

export function closing(make: MakeDriver): void {
  test('closing waits for the running jobs, and later calls are refused', async () => {
    const coordination = await (await make()).connect();
    let [started, done] = [0, 0];
    await coordination.process('q', async ({ signal }) => {
      started++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      done++;
    });
    await coordination.add(job('a'));
    await until('the job runs', () => started === 1);
    await coordination.close();
    assert.equal(done, 1);
    await assert.rejects(coordination.add(job('b')), CoordinationClosedError);
    await assert.rejects(
      coordination.process('q', async () => {}),
      CoordinationClosedError,
    );
    await assert.rejects(coordination.take('k', { rate: 1, burst: 1 }), CoordinationClosedError);
    await coordination.close();
  });
}
