import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { BusFullError, type Consumer, type EmbeddedBus, type InRecord } from '@ringfence/bus';
import { createLogger } from '@ringfence/telemetry';
import { repeatedKeys } from '@ringfence/testkit';
import { createRecord, createTopic, defer, NOTHING, openWithClock, readAll } from '@ringfence/testkit/bus';
import { type Failpoint, type Handler, type PipelineOptions, runPipeline } from '../src/pipeline.ts';
import { StateTable } from '../src/state-table.ts';

class FatedError extends Error {
  readonly fate: string;
  constructor(fate: string) {
    super(`this is ${fate}`);
    this.fate = fate;
  }
}

interface Fixture {
  readonly bus: EmbeddedBus;
  readonly consumer: Consumer;
  readonly abort: AbortController;
  /** Calls of the metrics. */
  readonly calls: string[];
  readonly run: (overrides: Partial<PipelineOptions> & Handler) => Promise<void>;
}

async function createFixture(t: TestContext, values: readonly string[]): Promise<Fixture> {
  const { bus } = await openWithClock(t);
  await bus.ensureTopics([createTopic('in'), createTopic('out'), createTopic('ringfence.dlq')]);
  const consumer = await bus.consumer({ group: 'g', topics: ['in'], stores: ['ringfence.state.s'] });
  for (const value of values) await bus.produce([createRecord('in', { value })]);
  const abort = new AbortController();
  const calls: string[] = [];
  defer(t, () => abort.abort());
  const run: Fixture['run'] = (overrides) =>
    runPipeline({
      consumer,
      signal: abort.signal,
      deadLetter: (record, error) => ({
        topic: 'ringfence.dlq',
        key: record.topic,
        value: Buffer.from(`${record.offset} ${error}`),
      }),
      retryBaseMs: 1,
      retryMaxMs: 4,
      metrics: {
        committed: (records) => calls.push(`committed ${records}`),
        retried: () => calls.push('retried'),
        deadLettered: ({ offset }) => calls.push(`dead ${offset}`),
        backPressure: () => calls.push('back-pressure'),
      },
      ...overrides,
    });
  return { bus, consumer, abort, calls, run };
}

function forward(records: readonly InRecord[]) {
  return { outputs: records.map(({ value }) => createRecord('out', { value })), state: [] };
}

async function values(bus: EmbeddedBus, topic: string): Promise<string[]> {
  return (await readAll(bus, topic)).map(({ value }) => String(value));
}

describe('a pipeline', () => {
  test('commits the effect of each batch, and ends when its signal aborts', async (t) => {
    const { bus, abort, calls, run, consumer } = await createFixture(t, ['a', 'b']);
    const handle = (records: readonly InRecord[]) => {
      setImmediate(() => abort.abort());
      return forward(records);
    };
    await run({ handle });
    assert.deepEqual(await values(bus, 'out'), ['a', 'b']);
    assert.deepEqual(calls, ['committed 2']);
    assert.equal((await consumer.lag()).get('in'), 0);
  });

  test('handles the same batch again after a retriable error, with the memory rolled back', async (t) => {
    const { bus, abort, calls, run } = await createFixture(t, ['a', 'b']);
    let attempts = 0;
    let rollbacks = 0;
    await run({
      rollback: () => void rollbacks++,
      handle(records) {
        if (++attempts < 4) throw new FatedError('retriable');
        abort.abort();
        return forward(records);
      },
    });
    assert.equal(rollbacks, 3);
    assert.deepEqual(calls, ['retried', 'retried', 'retried', 'committed 2']);
    assert.deepEqual(await values(bus, 'out'), ['a', 'b']);
  });

  test('sends a poisonous record to the dead letters and handles the other records of its batch once', async (t) => {
    const { bus, abort, calls, run, consumer } = await createFixture(t, ['a', 'b', 'bad', 'c', 'last']);
    const table = new StateTable<number>({
      store: 'ringfence.state.s',
      encode: (value) => Buffer.from(String(value)),
      decode: (bytes) => Number(Buffer.from(bytes).toString()),
      maxEntries: 10,
    });
    await run({
      rollback: () => table.rollback(),
      handle(records) {
        for (const { partition, offset, value } of records) {
          const at = { partition, offset, index: 0 };
          assert.ok(!table.isApplied('seen', at), 'uncommitted effects were rolled back');
          table.set('seen', (table.get('seen') ?? 0) + 1, at);
          if (String(value) === 'bad') throw new FatedError('poison');
          if (String(value) === 'last') abort.abort();
        }
        return { ...forward(records), state: table.drain() };
      },
    });
    assert.deepEqual(await values(bus, 'out'), ['a', 'b', 'c', 'last']);
    assert.deepEqual(await values(bus, 'ringfence.dlq'), ['2 Error: this is poison']);
    assert.deepEqual(
      calls.filter((line) => line.startsWith('dead')),
      ['dead 2'],
    );
    assert.equal(table.get('seen'), 4);
    assert.equal((await consumer.lag()).get('in'), 0);
  });

  test('throttles the log of dead letters', async (t) => {
    const { bus, abort, run } = await createFixture(t, [...Array.from({ length: 50 }, () => 'bad'), 'last']);
    const lines: unknown[] = [];
    const log = { ...silentLog, error: (line: unknown) => void lines.push(line) };
    await run({
      log,
      handle(records) {
        if (records.some(({ value }) => String(value) === 'bad')) throw new FatedError('poison');
        if (records.some(({ value }) => String(value) === 'last')) abort.abort();
        return forward(records);
      },
    });
    assert.equal((await values(bus, 'ringfence.dlq')).length, 50);
    assert.deepEqual(lines, [
      {
        code: 'unknown',
        reason: 'this is poison',
        topic: 'in',
        partition: 0,
        offset: 0,
        suppressed: 0,
      },
    ]);
  });

  test('writes lines of JSON to the log of its service that have each key once', async (t) => {
    const { consumer, abort, run } = await createFixture(t, ['bad', 'later', 'last']);
    const lines: string[] = [];
    const log = createLogger({ format: 'json', stream: { write: (line) => lines.push(line) } });
    const commit = consumer.commit.bind(consumer);
    const refusals = [new BusFullError(1, 1, 0), new FatedError('retriable')];
    consumer.commit = async (records, effect) => {
      const refusal = refusals.pop();
      if (refusal !== undefined) throw refusal;
      await commit(records, effect);
    };
    let attempts = 0;
    await run({
      log: log.child({ service: 'test' }),
      handle(records) {
        if (records.some(({ value }) => String(value) === 'bad')) throw new FatedError('poison');
        if (attempts++ === 0) throw new FatedError('retriable');
        if (records.some(({ value }) => String(value) === 'last')) abort.abort();
        return forward(records);
      },
    });
    assert.deepEqual(
      lines.map((line) => [JSON.parse(line).service, repeatedKeys(line)]),
      Array.from({ length: 4 }, () => ['test', []]),
    );
    assert.deepEqual(new Set(lines.map((line) => JSON.parse(line).msg)).size, 4);
  });

  test('rejects with any other error, and leaves the batch uncommitted', async (t) => {
    const { bus, consumer, run } = await createFixture(t, ['a']);
    const bug = new TypeError('a bug');
    await assert.rejects(
      run({
        handle() {
          throw bug;
        },
      }),
      (error) => error === bug,
    );
    assert.deepEqual(await values(bus, 'ringfence.dlq'), []);
    assert.equal((await consumer.lag()).get('in'), 1);
  });

  test('retries the commit while the bus is full, without handling the batch again', async (t) => {
    const { bus, consumer, abort, calls } = await createFixture(t, ['a']);
    let refusals = 2;
    let handled = 0;
    const commit = consumer.commit.bind(consumer);
    // The conformance suite of the bus fills a real one.
    consumer.commit = async (records, effect) => {
      if (refusals-- > 0) throw new BusFullError(1, 1, 0);
      await commit(records, effect);
    };
    await runPipeline({
      consumer,
      signal: abort.signal,
      deadLetter: (record) => ({ ...record, topic: 'ringfence.dlq' }),
      metrics: { backPressure: () => calls.push('back-pressure'), committed: () => abort.abort() },
      handle(records) {
        handled++;
        return forward(records);
      },
    });
    assert.equal(handled, 1);
    assert.deepEqual(calls, ['back-pressure', 'back-pressure']);
    assert.deepEqual(await values(bus, 'out'), ['a']);
  });

  test('ends a pause when the signal aborts, and leaves the batch uncommitted', async (t) => {
    const { consumer, abort, run } = await createFixture(t, ['a']);
    await run({
      retryBaseMs: 30_000,
      retryMaxMs: 30_000,
      handle() {
        setImmediate(() => abort.abort());
        throw new FatedError('retriable');
      },
    });
    assert.equal((await consumer.lag()).get('in'), 1);
  });

  test('calls its failpoints in order', async (t) => {
    const { abort, run } = await createFixture(t, ['a']);
    const points: Failpoint[] = [];
    await run({
      failpoint: (name) => void points.push(name),
      handle() {
        abort.abort();
        return NOTHING;
      },
    });
    assert.deepEqual(points, ['before-effect', 'before-commit', 'after-commit']);
  });
});
