import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, Consumer, InRecord } from '../port.ts';
import type { DriverFactory, Make } from './driver.ts';
import { NOTHING, record, take, topic } from './helpers.ts';

const KEYS = Array.from({ length: 24 }, (_, i) => `host-${i}`);
const PARTITIONS = 6;

/** Returns the assignment changes of a consumer, as they happen: `+1 -2`. */
function watchAssignment(consumer: Consumer): string[] {
  const changes: string[] = [];
  consumer.onAssignment(async ({ assigned, revoked }: Assignment) => {
    changes.push(...revoked.map((partition) => `-${partition}`), ...assigned.map((partition) => `+${partition}`));
  });
  return changes;
}

/** Polls and commits with all consumers in parallel, until `isEnough`. Returns the records of each. */
async function consumeAll(
  consumers: readonly Consumer[],
  isEnough: (received: readonly (readonly InRecord[])[]) => boolean,
): Promise<readonly (readonly InRecord[])[]> {
  const abort = new AbortController();
  const received = consumers.map((): InRecord[] => []);
  const check = setInterval(() => isEnough(received) && abort.abort(), 10);
  await Promise.all(
    consumers.map(async (consumer, i) => {
      while (!abort.signal.aborted) {
        const records = await consumer.poll(abort.signal);
        if (records.length > 0) await consumer.commit(records, NOTHING);
        received[i]!.push(...records);
      }
    }),
  );
  clearInterval(check);
  return received;
}

/** Groups with several members. */
export function sharing(make: Make, factory: DriverFactory): void {
  const skip = !factory.shared && 'this driver allows one consumer for each group';

  test('a member has the same partitions of every topic, and a new member takes no more than its share', {
    skip,
  }, async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('a', { partitions: PARTITIONS }), topic('b', { partitions: PARTITIONS })]);
    const options = { group: 'g', topics: ['a', 'b'] };
    await using first = await bus.consumer(options);
    await using second = await bus.consumer(options);
    const [changesOfFirst, changesOfSecond] = [watchAssignment(first), watchAssignment(second)];
    await bus.produce([record('a', 'k', '1')]);
    await first.commit(await take(first, 1), NOTHING);
    assert.deepEqual(changesOfFirst, ['+0', '+1', '+2', '+3', '+4', '+5']);
    await consumeAll([first, second], () => changesOfSecond.length === PARTITIONS / 2);
    const revoked = changesOfFirst.filter((change) => change.startsWith('-')).map((change) => change.slice(1));
    assert.equal(revoked.length, PARTITIONS / 2);
    assert.deepEqual(
      changesOfSecond,
      revoked.map((partition) => `+${partition}`),
    );
    const assigned = changesOfFirst.filter((change) => change.startsWith('+'));
    assert.equal(assigned.length, PARTITIONS, 'the remaining partitions are not assigned again');
    await bus.produce(KEYS.flatMap((key) => [record('a', key, 'x'), record('b', key, 'x')]));
    const received = await consumeAll([first, second], (all) => all.flat().length === 2 * KEYS.length);
    const partitions = received.map((records) => [...new Set(records.map(({ partition }) => partition))]);
    assert.deepEqual(
      partitions.flat().sort(),
      [0, 1, 2, 3, 4, 5],
      'each number belongs to one member, for both topics',
    );
  });

  test('a rebalance waits for the batch in hand: its commit succeeds although another member has joined', {
    skip,
  }, async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: PARTITIONS })]);
    await bus.produce(KEYS.map((key) => record('t', key, '1')));
    await using first = await bus.consumer({ group: 'g', topics: ['t'] });
    await using second = await bus.consumer({ group: 'g', topics: ['t'] });
    const inHand = await take(first, KEYS.length);
    const changesOfSecond = watchAssignment(second);
    const poll = second.poll();
    // Longer than the session timeout: the heartbeats of the first member continue.
    await new Promise((resolve) => setTimeout(resolve, 8000));
    assert.deepEqual(changesOfSecond, []);
    await first.commit(inHand, NOTHING);
    await bus.produce(KEYS.map((key) => record('t', key, '2')));
    const pollOfFirst = first.poll();
    const received = [...(await poll), ...(await pollOfFirst)];
    assert.deepEqual(
      [...new Set(received.map(({ value }) => String(Buffer.from(value!))))],
      ['2'],
      'no member gets a committed record again',
    );
    assert.equal(changesOfSecond.length, PARTITIONS / 2);
  });
}
