import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecord, createTopic, defer, openWithClock } from '@ringfence/testkit/bus';
import { followTopic } from '../src/follow.ts';

test('a topic is read from its beginning and followed, and read again after an interruption, until the signal aborts', async (t) => {
  const { bus } = await openWithClock(t);
  await bus.ensureTopics([createTopic('t')]);
  const produce = (value: string) => bus.produce([createRecord('t', { value })]);
  const taken: string[] = [];
  const interruptions: unknown[] = [];
  let received = Promise.withResolvers<void>();
  const untilTaken = async (count: number): Promise<void> => {
    while (taken.length < count) await received.promise;
  };
  const stop = new AbortController();
  defer(t, () => stop.abort());
  let refused = false;
  await produce('a');
  const following = followTopic({
    bus,
    topic: 't',
    signal: stop.signal,
    take: ({ value }) => {
      const text = String(Buffer.from(value!));
      if (text === 'c' && !refused) {
        refused = true;
        throw new Error('not yet');
      }
      taken.push(text);
      received.resolve();
      received = Promise.withResolvers();
    },
    interrupted: (error) => interruptions.push(error),
    maxPauseMs: 1000,
  });
  await untilTaken(1);
  await produce('b');
  await untilTaken(2);
  await produce('c');
  await untilTaken(5);
  assert.deepEqual(taken, ['a', 'b', 'a', 'b', 'c']);
  assert.deepEqual(interruptions.map(String), ['Error: not yet']);
  stop.abort();
  await following;
  assert.equal(interruptions.length, 1, 'the abort is not an interruption');
});

test('a closed bus is an interruption, and the signal still ends the reader', async (t) => {
  const { bus } = await openWithClock(t);
  await bus.ensureTopics([createTopic('t')]);
  await bus.close();
  const stop = new AbortController();
  const interrupted = Promise.withResolvers<unknown>();
  const following = followTopic({
    bus,
    topic: 't',
    signal: stop.signal,
    take: () => {},
    interrupted: interrupted.resolve,
    maxPauseMs: 1000,
  });
  assert.ok((await interrupted.promise) instanceof Error);
  stop.abort();
  await following;
});
