import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type Bus,
  type Consumer,
  type EmbeddedBus,
  type EmbeddedBusOptions,
  type InRecord,
  type OutRecord,
  openEmbeddedBus,
  type TopicSpec,
} from '@ringfence/bus';

export const NOTHING = { outputs: [], state: [] } as const;

const cleanups = new WeakMap<TestContext, (() => unknown)[]>();

/** Runs cleanups in reverse order, so that a bus is closed before its directory is removed. */
export function defer(t: TestContext, undo: () => unknown): void {
  const known = cleanups.get(t);
  if (known !== undefined) {
    known.push(undo);
    return;
  }
  const steps = [undo];
  cleanups.set(t, steps);
  t.after(async () => {
    for (const step of steps.reverse()) await step();
  });
}

export function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rf-bus-'));
  defer(t, () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a bus whose clock the test controls. */
export async function openWithClock(
  t: TestContext,
  options: Partial<EmbeddedBusOptions> = {},
): Promise<{ readonly bus: EmbeddedBus; readonly clock: { ms: number } }> {
  const clock = { ms: 1_000_000 };
  const path = join(temporary(t), 'bus.db');
  const bus = await openEmbeddedBus({ path, now: () => clock.ms * 1000, maintenanceIntervalMs: 3_600_000, ...options });
  defer(t, () => bus.close());
  return { bus, clock };
}

export function createTopic(name: string, overrides: Partial<TopicSpec> = {}): TopicSpec {
  return { name, partitions: 1, compacted: false, retentionMs: Infinity, retentionBytes: Infinity, ...overrides };
}

export function createRecord(
  topic: string,
  overrides: { key?: string; value?: string | Uint8Array | null } = {},
): OutRecord {
  const { key = 'k', value = 'x' } = overrides;
  return { topic, key, value: typeof value === 'string' ? Buffer.from(value) : value };
}

export async function readAll(bus: Pick<Bus, 'read'>, topic: string): Promise<InRecord[]> {
  const records: InRecord[] = [];
  for await (const record of bus.read({ topic })) records.push(record);
  return records;
}

export async function take(consumer: Consumer, count: number): Promise<InRecord[]> {
  const records: InRecord[] = [];
  while (records.length < count) records.push(...(await consumer.poll()));
  return records;
}
