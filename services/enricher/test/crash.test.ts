import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { type InRecord, openEmbeddedBus } from '@ringfence/bus';
import { createSyntheticHost, O } from '@ringfence/synthetic';
import { TOPIC, topicsWith } from '@ringfence/wire';
import { createTestEnricher } from './support.ts';

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url));

async function run(path: string, pem: string, point: string, nth: number): Promise<NodeJS.Signals | number | null> {
  const args = ['--conditions=@ringfence/source', CHILD, path, Buffer.from(pem).toString('base64'), point, String(nth)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

test('a kill before the effect, before the commit or after it neither loses nor doubles events', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rf-enricher-'));
  try {
    const path = join(directory, 'bus.db');
    const host = createSyntheticHost();
    const batches: Buffer[] = [];
    for (let i = 0; i < 300; i++) {
      const sh = host.spawn(host.init, `/bin/tool-${i % 7}`);
      host.open(sh, `/tmp/${i}`, O.WRONLY);
      if (i % 10 === 0) host.drop(1, 1);
      if (i % 3 === 0) host.tick();
      batches.push(host.batch());
    }
    {
      await using bus = await openEmbeddedBus({ path });
      await bus.ensureTopics(topicsWith(1));
      for (const value of batches) await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value }]);
    }
    const pem = host.key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const [point, nth] of [
      ['before-effect', 1],
      ['before-commit', 1],
      ['after-commit', 1],
      ['before-commit', 2],
      ['after-commit', 2],
    ] as const) {
      assert.equal(await run(path, pem, point, nth), 'SIGKILL', `${point} ${nth}`);
    }
    assert.equal(await run(path, pem, 'never', 1), 0);
    await using bus = await openEmbeddedBus({ path });
    const raw: InRecord[] = [];
    for await (const record of bus.read({ topic: TOPIC.raw })) raw.push(record);
    const expected = createTestEnricher(host).handle(raw).outputs;
    const got: (Uint8Array | null)[] = [];
    for await (const { value } of bus.read({ topic: TOPIC.events })) got.push(value);
    assert.equal(got.length, expected.length);
    assert.deepEqual(
      got.map((value) => Buffer.from(value ?? []).toString('base64')),
      expected.map(({ value }) => Buffer.from(value ?? []).toString('base64')),
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
