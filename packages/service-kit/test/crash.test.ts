import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import type { Bus } from '@ringfence/bus';
import { openEmbeddedBus } from '@ringfence/bus';
import { readAll, temporary } from '@ringfence/testkit/bus';

const CHILD = join(import.meta.dirname, 'crash-child.ts');

const ROOMY = 64 * 2 ** 20;
/** Full after some hundred records: from then on it reclaims while it produces. */
const TIGHT = 8 * 2 ** 20;

interface Life {
  readonly path: string;
  readonly maxBytes: number;
  /** number of the first record it produces */
  readonly first: number;
  /** acknowledged records after which it is killed from outside */
  readonly killAfter?: number;
  /** `<failpoint>:<n>`: where it kills itself */
  readonly crashAt?: string;
}

/** Runs the child until it dies; returns the last record it had acknowledged. */
async function live({ path, maxBytes, first, killAfter = Infinity, crashAt = '' }: Life): Promise<number> {
  const child = spawn(
    process.execPath,
    ['--conditions=@ringfence/source', CHILD, path, String(first), String(maxBytes)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, CRASH_AT: crashAt } },
  );
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

/**
 * Everything acknowledged is there once and in order, or counted among the drops; all of it up to the committed offset was forwarded once, as often
 * as the state says. Returns the number of the next record.
 */
async function check(path: string, maxBytes: number, acknowledged: number): Promise<number> {
  await using bus = await openEmbeddedBus({ path, maxBytes });
  assert.equal(bus.movedAside, null);
  const dropped = bus.drops().reduce((sum, { records }) => sum + records, 0);
  const numbers = await numbersOf(bus, 'a');
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, i) => dropped + i),
  );
  const produced = dropped + numbers.length;
  assert.ok(produced > acknowledged, `${acknowledged} was acknowledged, ${produced} records are there or counted`);
  const forwarded = await numbersOf(bus, 'b');
  assert.deepEqual(
    forwarded,
    Array.from(forwarded, (_, i) => i),
  );
  await using consumer = await bus.consumer({ group: 'forward', topics: ['a'], stores: ['ringfence.state.count'] });
  assert.equal((await consumer.lag()).get('a'), produced - forwarded.length);
  for await (const { value, position } of consumer.restore('ringfence.state.count', 0)) {
    assert.equal(Number(Buffer.from(value).toString()), forwarded.length);
    assert.equal(position.offset, forwarded.length - 1);
  }
  return produced;
}

async function numbersOf(bus: Pick<Bus, 'read'>, topic: string): Promise<number[]> {
  return (await readAll(bus, topic)).map(({ value }) => Buffer.from(value!).readUInt32LE(0));
}

describe('kill -9 of the writing process', () => {
  for (const [what, maxBytes, least] of [
    ['with room', ROOMY, 0],
    ['while the disk bound makes it reclaim', TIGHT, 150],
  ] as const) {
    test(`at random moments, ${what}, again and again on one file: nothing is lost uncounted, nothing is doubled`, async (t) => {
      const path = join(temporary(t), 'bus.db');
      let first = 0;
      for (let round = 0; round < 5; round++) {
        const acknowledged = await live({ path, maxBytes, first, killAfter: least + Math.floor(Math.random() * 300) });
        first = await check(path, maxBytes, acknowledged);
      }
      await using bus = await openEmbeddedBus({ path, maxBytes });
      assert.equal(bus.drops().length > 0, maxBytes === TIGHT);
    });
  }

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    test(`${point}: effect, state and offset agree`, async (t) => {
      const path = join(temporary(t), 'bus.db');
      const acknowledged = await live({ path, maxBytes: ROOMY, first: 0, crashAt: `${point}:5` });
      const first = await check(path, ROOMY, acknowledged);
      // The next process goes on from there, and dies in turn.
      await check(path, ROOMY, await live({ path, maxBytes: ROOMY, first, crashAt: `${point}:3` }));
    });
  }
});
