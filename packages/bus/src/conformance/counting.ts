import assert from 'node:assert/strict';
import { type PipelineOptions, runPipeline, StateTable } from '@ringfence/service-kit';
import type { Bus, Consumer, InRecord, OutRecord, TopicSpec } from '../port.ts';
import { collect, record, topic } from './helpers.ts';

/**
 * Work that shows every fault of a group: each input says the how-manieth of its key it is, and the member that handles it says how many it has counted.
 * The two agree only if every record took effect once, in order, on the state that its predecessors left.
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

/** Inputs number `from` to `to` of each key, in order. */
export function inputs(keys: readonly string[], from: number, to: number): OutRecord[] {
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return numbers.flatMap((number) => keys.map((key) => record('in', key, String(number))));
}

export interface CountingOptions
  extends Pick<PipelineOptions, 'signal'>,
    Partial<Pick<PipelineOptions, 'failpoint' | 'metrics'>> {
  /** Inputs may have been written twice, by a producer that didn't hear the answer: what was counted is passed over. */
  readonly repeated?: boolean;
}

/** Counts until `signal` aborts. */
export async function count(consumer: Consumer, options: CountingOptions): Promise<void> {
  await runPipeline({
    service: 'counting',
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
          const known = (one: InRecord): boolean => numberOf(one) <= (table.get(one.key) ?? 0);
          const outputs = records.flatMap((one) => (options.repeated && known(one) ? [] : [counted(table, one)]));
          return { outputs, state: table.drain() };
        },
      };
    },
    ...options,
  });
}

const numberOf = ({ value }: InRecord): number => Number(Buffer.from(value ?? []).toString());

function counted(table: StateTable<number>, input: InRecord): OutRecord {
  const { partition, offset, key } = input;
  const total = (table.get(key) ?? 0) + 1;
  table.set(key, total, { partition, offset, index: 0 });
  return record('out', key, `${numberOf(input)} ${total}`);
}

/** Follows the output until every key has reached `last`, then checks all of it. Outputs may come twice, but never differ. */
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
