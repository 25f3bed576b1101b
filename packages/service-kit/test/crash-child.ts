/**
 * Produces numbered records to `a` and forwards them to `b`, until it is killed. Prints the number of each record whose
 * produce has resolved. With CRASH_AT=<failpoint>:<n> it kills itself (SIGKILL) the n-th time it reaches the failpoint.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BusFullError, type Effect, type InRecord, openEmbeddedBus } from '@ringfence/bus';
import { createTopic } from '@ringfence/testkit/bus';
import { type Failpoint, runPipeline } from '../src/pipeline.ts';
import { StateTable } from '../src/state-table.ts';

const [path = '', first = '0', maxBytes = ''] = process.argv.slice(2);
const [crashAt, crashCount] = (process.env['CRASH_AT'] ?? '').split(':');
let visits = 0;

function failpoint(name: Failpoint): void {
  if (name === crashAt && ++visits === Number(crashCount)) process.kill(process.pid, 'SIGKILL');
}

const bus = await openEmbeddedBus({ path, maxBytes: Number(maxBytes) });
await bus.ensureTopics([createTopic('a', { retentionMs: 3_600_000 }), createTopic('b'), createTopic('ringfence.dlq')]);
const consumer = await bus.consumer({ group: 'forward', topics: ['a'], stores: ['ringfence.state.count'] });
const count = new StateTable<number>({
  store: 'ringfence.state.count',
  encode: (value) => Buffer.from(String(value)),
  decode: (bytes) => Number(Buffer.from(bytes).toString()),
  maxEntries: 10,
});

void runPipeline({
  consumer,
  signal: new AbortController().signal,
  failpoint,
  deadLetter: (record) => ({ topic: 'ringfence.dlq', key: record.topic, value: record.value }),
  async open(partition, restore) {
    await count.restore(restore('ringfence.state.count'), partition);
    return { handle: forward };
  },
});

function forward(records: readonly InRecord[]): Effect {
  for (const { partition, offset } of records) {
    const at = { partition, offset, index: 0 };
    if (!count.isApplied('records', at)) count.set('records', (count.get('records') ?? 0) + 1, at);
  }
  return {
    outputs: records.map(({ key, value }) => ({ topic: 'b', key, value: value?.subarray(0, 8) ?? null })),
    state: count.drain(),
  };
}

// The values are large enough that checkpoints run while the process is killed.
for (let i = Number(first); ; i++) {
  const value = Buffer.alloc(20_000, i);
  value.writeUInt32LE(i, 0);
  for (;;) {
    try {
      await bus.produce([{ topic: 'a', key: 'k', value }]);
      break;
    } catch (error) {
      if (!(error instanceof BusFullError)) throw error;
      await nextTurn();
    }
  }
  process.stdout.write(`${i}\n`);
  if (i % 4 === 3) await nextTurn();
}
