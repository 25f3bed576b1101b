import assert from 'node:assert/strict';
import { BusFullError } from '../errors.ts';
import type { Bus, Effect, InRecord, OutRecord, TopicSpec } from '../port.ts';

/** An effect without outputs and state changes: only offsets are committed. */
export const NOTHING: Effect = { outputs: [], state: [] };

export function topic(name: string, overrides: Partial<TopicSpec> = {}): TopicSpec {
  return { name, partitions: 1, compacted: false, retentionMs: Infinity, retentionBytes: Infinity, ...overrides };
}

export function record(name: string, key: string, value: string): OutRecord {
  return { topic: name, key, value: Buffer.from(value) };
}

export function text({ value }: InRecord): string {
  assert.ok(value !== null, 'the record has a value');
  return Buffer.from(value).toString();
}

/** Polls until it has `count` records. */
export async function take(consumer: { poll(): Promise<readonly InRecord[]> }, count: number): Promise<InRecord[]> {
  const records: InRecord[] = [];
  while (records.length < count) records.push(...(await consumer.poll()));
  return records;
}

/** Produces records until the bus refuses one. Returns the number of accepted records. */
export async function fill(bus: Bus, name: string): Promise<number> {
  for (let produced = 0; ; produced++) {
    try {
      await bus.produce([{ topic: name, key: 'k', value: Buffer.alloc(60_000, produced) }]);
    } catch (error) {
      assert.ok(error instanceof BusFullError, String(error));
      return produced;
    }
  }
}

export function assertAscending(records: readonly InRecord[]): void {
  const last = new Map<number, number>();
  for (const { partition, offset } of records) {
    assert.ok(offset > (last.get(partition) ?? -1), `offset ${offset} of partition ${partition} ascends`);
    last.set(partition, offset);
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
