import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecord, createTopic, defer, openWithClock } from '@ringfence/testkit/bus';
import { followTopic } from '../src/follow.ts';

test('a topic is read from its beginning and on, anew after an interruption, until its reader stops', async (t) => {
  const { bus } = await openWithClock(t);
  await bus.ensureTopics([createTopic('t')]);
  const say = (value: string) => bus.produce([createRecord('t', { value })]);
  const taken: string[] = [];
  const interruptions: unknown[] = [];
  let heard = Promise.withResolvers<void>();
  const hears = async (count: number): Promise<void> => {
    while (taken.length < count) await heard.promise;
  };
  const stop = new AbortController();
  defer(t, () => stop.abort());
  let refused = false;
  await say('a');
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
      heard.resolve();
      heard = Promise.withResolvers();
    },
    interrupted: (error) => interruptions.push(error),
    maxPauseMs: 1000,
  });
  await hears(1);
  await say('b');
  await hears(2);
  await say('c');
  await hears(5);
  assert.deepEqual(taken, ['a', 'b', 'a', 'b', 'c']);
  assert.deepEqual(interruptions.map(String), ['Error: not yet']);
  stop.abort();
  await following;
  assert.equal(interruptions.length, 1, 'to stop is no interruption');
});

test('a bus that is gone is an interruption each time, and keeps nobody from stopping', async (t) => {
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
