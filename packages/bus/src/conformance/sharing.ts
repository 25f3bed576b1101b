import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, Bus, Consumer, InRecord } from '../port.ts';
import { assertCounted, COUNTING, count, inputs } from './counting.ts';
import type { DriverFactory, Make } from './driver.ts';
import { NOTHING, record, take, topic } from './helpers.ts';

const KEYS = Array.from({ length: 24 }, (_, i) => `host-${i}`);
const PARTITIONS = 6;

interface Member {
  readonly consumer: Consumer;
  /** after the batch in hand */
  leave(): Promise<void>;
}

async function join(bus: Bus): Promise<Member> {
  const consumer = await bus.consumer({
    group: COUNTING.group,
    topics: ['in'],
    stores: [COUNTING.store],
    maxRecords: 16,
  });
  const abort = new AbortController();
  const { promise: working, resolve } = Promise.withResolvers<void>();
  const done = count(consumer, { signal: abort.signal, metrics: { reassigned: () => resolve() } });
  await working;
  return {
    consumer,
    async leave() {
      abort.abort();
      await done;
      await consumer.close();
    },
  };
}

/** Tells what became of the partitions, as `+1 -2`. */
function told(consumer: Consumer): string[] {
  const changes: string[] = [];
  consumer.onAssignment(async ({ assigned, revoked }: Assignment) => {
    changes.push(...revoked.map((one) => `-${one}`), ...assigned.map((one) => `+${one}`));
  });
  return changes;
}

/** Polls all of them side by side and commits, until what they have seen is enough. */
async function share(
  consumers: readonly Consumer[],
  enough: (seen: readonly (readonly InRecord[])[]) => boolean,
): Promise<readonly (readonly InRecord[])[]> {
  const abort = new AbortController();
  const seen = consumers.map((): InRecord[] => []);
  const look = setInterval(() => enough(seen) && abort.abort(), 10);
  await Promise.all(
    consumers.map(async (consumer, i) => {
      while (!abort.signal.aborted) {
        const records = await consumer.poll(abort.signal);
        if (records.length > 0) await consumer.commit(records, NOTHING);
        seen[i]!.push(...records);
      }
    }),
  );
  clearInterval(look);
  return seen;
}

/** Groups of several members. */
export function sharing(make: Make, factory: DriverFactory): void {
  const skip = !factory.shared && 'a group has one consumer on this driver';

  test('members that come and go in the middle of work: every record takes effect once, in order, and state follows', {
    skip,
  }, async () => {
    const { bus } = await make();
    await bus.ensureTopics(COUNTING.topics(PARTITIONS));
    const members = [await join(bus)];
    for (let round = 0; round < 8; round++) {
      await bus.produce(inputs(KEYS, round * 10 + 1, round * 10 + 10));
      // Two, three, two, … members; the one that leaves is another each time.
      if (round % 2 === 0) members.push(await join(bus));
      else if (members.length > 2) await members.shift()!.leave();
    }
    await assertCounted(bus, KEYS, 80);
    await Promise.all(members.map((member) => member.leave()));
  });

  test('a member gets the same partitions of every topic, and one that comes takes no more than its share', {
    skip,
  }, async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('a', { partitions: PARTITIONS }), topic('b', { partitions: PARTITIONS })]);
    const options = { group: 'g', topics: ['a', 'b'] };
    await using first = await bus.consumer(options);
    await using second = await bus.consumer(options);
    const [mine, theirs] = [told(first), told(second)];
    await bus.produce([record('a', 'k', '1')]);
    await first.commit(await take(first, 1), NOTHING);
    assert.deepEqual(mine, ['+0', '+1', '+2', '+3', '+4', '+5']);
    await share([first, second], () => theirs.length === PARTITIONS / 2);
    const gone = mine.filter((change) => change.startsWith('-')).map((change) => change.slice(1));
    assert.equal(gone.length, PARTITIONS / 2);
    assert.deepEqual(
      theirs,
      gone.map((partition) => `+${partition}`),
    );
    assert.equal(mine.filter((change) => change.startsWith('+')).length, PARTITIONS, 'what stays is not opened again');
    await bus.produce(KEYS.flatMap((key) => [record('a', key, 'x'), record('b', key, 'x')]));
    const seen = await share([first, second], (all) => all.flat().length === 2 * KEYS.length);
    const [ours, others] = seen.map((records) => [...new Set(records.map(({ partition }) => partition))]);
    assert.deepEqual(
      [...ours!, ...others!].sort(),
      [0, 1, 2, 3, 4, 5],
      'a number is with one of them, for both topics',
    );
  });

  test('a batch in hand is waited for: its commit goes through though another member has come meanwhile', {
    skip,
  }, async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: PARTITIONS })]);
    await bus.produce(KEYS.map((key) => record('t', key, '1')));
    await using first = await bus.consumer({ group: 'g', topics: ['t'] });
    await using second = await bus.consumer({ group: 'g', topics: ['t'] });
    const inHand = await take(first, KEYS.length);
    const theirs = told(second);
    const poll = second.poll();
    // Longer than a silent member lives: the first is heard of all the while.
    await new Promise((resolve) => setTimeout(resolve, 8000));
    assert.deepEqual(theirs, []);
    await first.commit(inHand, NOTHING);
    await bus.produce(KEYS.map((key) => record('t', key, '2')));
    const rest = first.poll();
    const came = [...(await poll), ...(await rest)];
    assert.deepEqual(
      [...new Set(came.map(({ value }) => String(Buffer.from(value!))))],
      ['2'],
      'what was committed comes to nobody again',
    );
    assert.equal(theirs.length, PARTITIONS / 2);
  });
}
