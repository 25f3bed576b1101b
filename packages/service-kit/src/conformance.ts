import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Bus, Consumer, InRecord, OutRecord, TopicSpec } from '@ringfence/bus';
import { collect, type Driver, type DriverFactory, record, topic } from '@ringfence/bus/conformance';
import { type PipelineOptions, runPipeline } from './pipeline.ts';
import { StateTable } from './state-table.ts';

/**
 * A workload that exposes every fault of a group. Each input carries its number among the inputs of its key; the member
 * that handles it writes how many it has counted. The two are equal only if every record took effect once, in order, on
 * the state that its predecessors left.
 */
export const COUNTING = {
  group: 'counting',
  store: 'ringfence.state.counts',
  topics: (partitions: number): TopicSpec[] => [
    topic('in', { partitions }),
    topic('out', { partitions }),
    topic('dead'),
  ],
};

/** Returns the inputs number `from` to `to` of each key, in order. */
export function inputs(keys: readonly string[], from: number, to: number): OutRecord[] {
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return numbers.flatMap((number) => keys.map((key) => record('in', key, String(number))));
}

export interface CountingOptions
  extends Pick<PipelineOptions, 'signal'>,
    Partial<Pick<PipelineOptions, 'failpoint' | 'metrics'>> {
  /** Skips inputs that were counted before. A producer that got no answer may have written its inputs twice. */
  readonly repeated?: boolean;
}

/** Counts until `signal` aborts. */
export async function count(consumer: Consumer, options: CountingOptions): Promise<void> {
  await runPipeline({
    consumer,
    deadLetter: ({ key }, error) => record('dead', key, String(error)),
    async open(partition, restore) {
      const table = new StateTable<number>({
        store: COUNTING.store,
        encode: (value) => Buffer.from(String(value)),
        decode: (bytes) => Number(Buffer.from(bytes).toString()),
        maxEntries: 100_000,
      });
      await table.restore(restore(COUNTING.store), partition);
      return {
        rollback: () => table.rollback(),
        handle(records) {
          const isKnown = (input: InRecord): boolean => numberOf(input) <= (table.get(input.key) ?? 0);
          const outputs = records.flatMap((input) =>
            options.repeated && isKnown(input) ? [] : [countInput(table, input)],
          );
          return { outputs, state: table.drain() };
        },
      };
    },
    ...options,
  });
}

const numberOf = ({ value }: InRecord): number => Number(Buffer.from(value ?? []).toString());

function countInput(table: StateTable<number>, input: InRecord): OutRecord {
  const { partition, offset, key } = input;
  const total = (table.get(key) ?? 0) + 1;
  table.set(key, total, { partition, offset, index: 0 });
  return record('out', key, `${numberOf(input)} ${total}`);
}

/**
 * Follows the outputs until every key has reached `last`, and checks them. Outputs may be repeated, but never differ.
 */
export async function assertCounted(bus: Bus, keys: readonly string[], last: number): Promise<void> {
  const missing = new Set(keys.flatMap((key) => Array.from({ length: last }, (_, i) => `${key} ${i + 1}`)));
  const wrong: string[] = [];
  const abort = new AbortController();
  for await (const { key, value } of bus.read({ topic: 'out', follow: true, signal: abort.signal })) {
    const [number, total] = Buffer.from(value ?? [])
      .toString()
      .split(' ');
    if (number !== total) wrong.push(`input ${number} of ${key} was counted as number ${total}`);
    missing.delete(`${key} ${number}`);
    if (missing.size === 0 || wrong.length > 0) abort.abort();
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(await collect(bus.read({ topic: 'dead' })), []);
}

const KEYS = Array.from({ length: 24 }, (_, i) => `host-${i}`);
const PARTITIONS = 6;

interface Member {
  /** Closes the member after the batch in hand. */
  close(): Promise<void>;
}

async function join(bus: Bus): Promise<Member> {
  const consumer = await bus.consumer({
    group: COUNTING.group,
    topics: ['in'],
    stores: [COUNTING.store],
    maxRecords: 16,
  });
  const abort = new AbortController();
  const { promise: assigned, resolve } = Promise.withResolvers<void>();
  const done = count(consumer, { signal: abort.signal, metrics: { reassigned: () => resolve() } });
  await assigned;
  return {
    async close() {
      abort.abort();
      await done;
      await consumer.close();
    },
  };
}

/** Registers the tests of pipelines over a driver whose groups may have several members. */
export function pipelineConformance(name: string, factory: Pick<DriverFactory, 'make'>): void {
  describe(`pipelines over ${name}`, () => {
    const drivers: Driver[] = [];
    after(async () => {
      for (const driver of drivers) await driver.dispose();
    });

    test('while members join and leave, every record takes effect once, in order, and the state moves along', async () => {
      const driver = await factory.make({});
      drivers.push(driver);
      const { bus } = driver;
      await bus.ensureTopics(COUNTING.topics(PARTITIONS));
      const members = [await join(bus)];
      for (let round = 0; round < 8; round++) {
        await bus.produce(inputs(KEYS, round * 10 + 1, round * 10 + 10));
        // Alternates between two and three members. The oldest member leaves.
        if (round % 2 === 0) members.push(await join(bus));
        else if (members.length > 2) await members.shift()!.close();
      }
      await assertCounted(bus, KEYS, 80);
      await Promise.all(members.map((member) => member.close()));
    });
  });
}
