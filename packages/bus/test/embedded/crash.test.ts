import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { readAll, temporary } from './harness.ts';

const CHILD = join(import.meta.dirname, 'crash-child.ts');

/** Runs the child until it dies, killed after `killAfter` acknowledged records; returns the last record it had acknowledged. */
async function runUntilKilled(path: string, first: number, killAfter: number, crashAt = ''): Promise<number> {
  const child = spawn(process.execPath, ['--conditions=@ringfence/source', CHILD, path, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CRASH_AT: crashAt },
  });
  const exited = once(child, 'exit');
  let acknowledged = first - 1;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    if (acknowledged - first >= killAfter) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL');
  return acknowledged;
}

/** Everything acknowledged is there once and in order; what was forwarded is a prefix of it, as long as offset and state say. */
async function check(path: string, acknowledged: number): Promise<number> {
  await using bus = await openEmbeddedBus({ path, maxBytes: 64 * 2 ** 20 });
  assert.equal(bus.movedAside, null);
  const numbers = (await readAll(bus, 'a')).map(({ value }) => Buffer.from(value!).readUInt32LE(0));
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, i) => i),
  );
  assert.ok(numbers.length > acknowledged, `${acknowledged} was acknowledged, ${numbers.length} records are there`);
  const forwarded = (await readAll(bus, 'b')).map(({ value }) => Buffer.from(value!).readUInt32LE(0));
  assert.deepEqual(forwarded, numbers.slice(0, forwarded.length));
  await using consumer = await bus.consumer({ group: 'forward', topics: ['a'], stores: ['ringfence.state.count'] });
  assert.equal((await consumer.lag()).get('a'), numbers.length - forwarded.length);
  for await (const { value, position } of consumer.restore('ringfence.state.count')) {
    assert.equal(Number(Buffer.from(value).toString()), forwarded.length);
    assert.equal(position.offset, forwarded.length - 1);
  }
  return numbers.length;
}

describe('kill -9 of the writing process', () => {
  test('at random moments, again and again on one file: nothing acknowledged is lost, nothing is doubled', async (t) => {
    const path = join(temporary(t), 'bus.db');
    let next = 0;
    for (let round = 0; round < 6; round++) {
      const acknowledged = await runUntilKilled(path, next, Math.floor(Math.random() * 300));
      next = await check(path, acknowledged);
    }
  });

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    test(`${point}: effect, state and offset agree`, async (t) => {
      const path = join(temporary(t), 'bus.db');
      const acknowledged = await runUntilKilled(path, 0, Infinity, `${point}:5`);
      const next = await check(path, acknowledged);
      // The next process goes on from there, and dies in turn.
      await check(path, await runUntilKilled(path, next, Infinity, `${point}:3`));
    });
  }
});
