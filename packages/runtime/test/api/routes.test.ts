import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openEmbeddedBus } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import { routesOf } from '../../src/api/routes.ts';
import type { App } from '../../src/app.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
const BATCH_BYTES = 10_000;
const BATCHES = 2_000;
const dir = mkdtempSync(join(tmpdir(), 'rf-record-'));
test.after(() => rmSync(dir, { recursive: true }));

/** Smallest size of all array buffers in several samples: another thread frees collected buffers later. */
async function heldBytes(): Promise<number> {
  let smallest = Infinity;
  for (let sample = 0; sample < 10; sample++) {
    gc();
    await sleep(20);
    smallest = Math.min(smallest, process.memoryUsage().arrayBuffers);
  }
  return smallest;
}

test('a recording of a host with quiet logs keeps no recorded bytes in memory', async () => {
  await using bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
  const settings = { partitions: 1, compacted: false, retentionMs: Infinity, retentionBytes: 2 ** 20 };
  await bus.ensureTopics([TOPIC.raw, TOPIC.logsRaw].map((name) => ({ name, ...settings })));
  const stop = new AbortController();
  const app = { deployment: { bus, enrolled: new Map(), fleet: null }, services: {} } as unknown as App;
  const answer = await routesOf(app)['raw']?.answer(new URLSearchParams(), stop.signal, [], '');
  assert.ok(answer !== undefined && 'bytes' in answer);
  const bytes = answer.bytes[Symbol.asyncIterator]();
  await bytes.next();
  const before = await heldBytes();
  for (let n = 0; n < BATCHES; n++) {
    const next = bytes.next();
    await bus.produce([{ topic: TOPIC.raw, key: 'host', value: Buffer.alloc(BATCH_BYTES, n) }]);
    assert.equal((await next).value?.length, 4 + BATCH_BYTES);
  }
  const held = (await heldBytes()) - before;
  assert.ok(held < (BATCHES * BATCH_BYTES) / 10, `${held} bytes are held`);
  stop.abort();
  assert.equal((await bytes.next()).done, true);
});

test('a recording of a range has the records that the bus got in it, of the hosts that are asked for', async () => {
  await using bus = await openEmbeddedBus({ path: join(dir, 'range.db') });
  const settings = { partitions: 1, compacted: false, retentionMs: Infinity, retentionBytes: 2 ** 20 };
  await bus.ensureTopics([TOPIC.raw, TOPIC.logsRaw].map((name) => ({ name, ...settings })));
  const times: number[] = [];
  for (const key of ['first', 'second', 'other', 'last']) {
    await bus.produce([{ topic: TOPIC.raw, key, value: Buffer.from(key) }]);
    await sleep(5);
    times.push(Date.now() * 1000);
    await sleep(5);
  }
  const app = { deployment: { bus, enrolled: new Map(), fleet: null }, services: {} } as unknown as App;
  const record = async (query: string): Promise<string[]> => {
    const answer = await routesOf(app)['raw']?.answer(new URLSearchParams(query), new AbortController().signal, [], '');
    assert.ok(answer !== undefined && 'bytes' in answer);
    const [, ...entries] = await Array.fromAsync(answer.bytes);
    return entries.map((entry) => Buffer.from(entry).toString('utf8', 4));
  };
  assert.deepEqual(await record(`from=${times[0]}&until=${times[2]}`), ['second', 'other']);
  assert.deepEqual(await record(`until=${times[0]}`), ['first']);
  assert.deepEqual(await record(`until=${times[3]}&host=first&host=last`), ['first', 'last']);
  await assert.rejects(record('until=soon'), { message: 'until: expected µs since the epoch' });
});
