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
  const app = { deployment: { bus, enrolled: new Map() }, services: {} } as unknown as App;
  const answer = await routesOf(app)['raw']?.(new URLSearchParams(), stop.signal, []);
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
