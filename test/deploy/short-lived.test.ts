import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { type Event, u64ToHex } from '@ringfence/schema';
import { bodyOf, memoryBus, readEvents, startTestCollector, TestPlace } from '../../services/collector/test/support.ts';
import { skip } from './lib/engine.ts';
import { Runc } from './lib/runc.ts';

/** In the suite; `RINGFENCE_CONTAINERS=1000 npm test -- short-lived` is the long form (docs/PERFORMANCE.md has its figures). */
const COUNT = Number(process.env['RINGFENCE_CONTAINERS'] ?? 50);
const SIDE_BY_SIDE = 4;
const LIFE_MS = 50;

/** How many of the containers' own programs were told of after their container was, and which weren't. */
function attributed(events: readonly Event[], prefix: string): { told: string[]; missed: number } {
  const containers = new Map<string, string>();
  const told = new Set<string>();
  let missed = 0;
  for (const event of events) {
    const context = bodyOf(event, 'ContainerContext');
    if (context?.id.startsWith(prefix)) containers.set(u64ToHex(context.cgroupId), context.id);
    if (Buffer.from(bodyOf(event, 'Exec')?.path.bytes ?? '').toString() !== '/sleeper') continue;
    const id = containers.get(u64ToHex(event.cgroup));
    if (id === undefined) missed++;
    else told.add(id);
  }
  return { told: [...told], missed };
}

describe('containers that live for a moment', { skip }, () => {
  let runc: Runc;
  before(() => {
    setMaxListeners(100);
    runc = new Runc();
    runc.describe((spec) => ({ ...spec, annotations: { 'org.opencontainers.image.ref.name': 'test/sleeper:1' } }));
  });
  after(async () => {
    await runc?.[Symbol.asyncDispose]();
  });

  test(`of ${COUNT} that live for ${LIFE_MS} ms, each is known before what it executes is judged`, async (t) => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    await using collector = await startTestCollector(place, bus);
    runc.live(LIFE_MS);
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < COUNT) await runc.run(String(next++));
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    await collector.settle();
    const { told, missed } = attributed(await readEvents(bus), runc.prefix);
    t.diagnostic(`${told.length} of ${COUNT} attributed, ${missed} executions without their container`);
    assert.deepEqual([told.length, missed], [COUNT, 0]);
  });
});
