import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { readAll, temporary } from '@ringfence/testkit/bus';

const CHILD = join(import.meta.dirname, 'crash-child.ts');

const ROOMY = 64 * 2 ** 20;
/** Full after some hundred records, so that the bus reclaims room while it produces. */
const TIGHT = 8 * 2 ** 20;

interface ChildOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** Number of the first record that the child produces. */
  readonly first: number;
  /** Number of acknowledged records after which the test kills the child. */
  readonly killAfter?: number;
  /** `<failpoint>:<n>`: where the child kills itself. */
  readonly crashAt?: string;
}

/** Runs the child until it dies. Returns the number of the last acknowledged record. */
async function runChild({ path, maxBytes, first, killAfter = Infinity, crashAt = '' }: ChildOptions): Promise<number> {
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
 * Checks that all acknowledged records are stored once and in order, or counted as dropped; that those below the
 * committed offset were forwarded once; and that the state has their number. Returns the number of the next record.
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
  assert.ok(
    produced > acknowledged,
    `record ${acknowledged} was acknowledged, ${produced} records are stored or counted`,
  );
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
  for (const [load, maxBytes, least] of [
    ['with enough room', ROOMY, 0],
    ['while it reclaims room', TIGHT, 150],
  ] as const) {
    test(`at random times, ${load}, repeatedly on one file: no record is lost uncounted or duplicated`, async (t) => {
      const path = join(temporary(t), 'bus.db');
      let first = 0;
      for (let round = 0; round < 5; round++) {
        const acknowledged = await runChild({
          path,
          maxBytes,
          first,
          killAfter: least + Math.floor(Math.random() * 300),
        });
        first = await check(path, maxBytes, acknowledged);
      }
      await using bus = await openEmbeddedBus({ path, maxBytes });
      assert.equal(bus.drops().length > 0, maxBytes === TIGHT);
    });
  }

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    test(`at ${point}: outputs, state and offset agree`, async (t) => {
      const path = join(temporary(t), 'bus.db');
      const acknowledged = await runChild({ path, maxBytes: ROOMY, first: 0, crashAt: `${point}:5` });
      const first = await check(path, ROOMY, acknowledged);
      // The next process continues, and is killed in turn.
      await check(path, ROOMY, await runChild({ path, maxBytes: ROOMY, first, crashAt: `${point}:3` }));
    });
  }
});
