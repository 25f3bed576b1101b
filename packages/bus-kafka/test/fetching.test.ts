import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Admin } from '@platformatic/kafka';
import { NOTHING, record, take, text, topic } from '@ringfence/bus/conformance';
import { openKafkaBus } from '../src/bus.ts';
import { fleetOptions, missing } from './fleet.ts';

const MiB = 2 ** 20;

describe('fetching', { skip: missing }, () => {
  for (const client of ['platformatic', 'kafkajs'] as const) {
    test(`${client}: pauses while fetched records are not taken, and resumes when they are`, async () => {
      await using bus = await openKafkaBus(await fleetOptions({ client }));
      await bus.ensureTopics([topic('t', { partitions: 3 })]);
      const values = Array.from({ length: 80 }, (_, i) => ({
        topic: 't',
        key: `k${i}`,
        value: Buffer.alloc(500_000, i),
      }));
      await bus.produce(values);
      await using consumer = await bus.consumer({ group: 'g', topics: ['t'], maxRecords: 1, maxBytes: MiB });
      const [first] = await take(consumer, 1);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      // The buffer holds twice the bytes of a poll, and one response may exceed it.
      const { fetchedBytes } = bus.stats();
      assert.ok(fetchedBytes <= 8 * MiB, `${fetchedBytes} bytes were fetched for one record taken`);
      const rest = await take(consumer, 79);
      assert.equal(new Set([first!, ...rest].map(({ key }) => key)).size, 80);
    });

    test(`${client}: records that the broker removed before they were read are counted, and reading continues after them`, async () => {
      const options = await fleetOptions({ client });
      await using bus = await openKafkaBus(options);
      await bus.ensureTopics([topic('t')]);
      await bus.produce(Array.from({ length: 60 }, (_, i) => record('t', 'k', `${i}`)));
      const first = await bus.consumer({ group: 'g', topics: ['t'], maxRecords: 10 });
      await first.commit(await take(first, 10), NOTHING);
      await first.close();
      const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...options.brokers] });
      await admin.deleteRecords({
        topics: [{ name: `${options.topicPrefix}t`, partitions: [{ partition: 0, offset: 50n }] }],
      });
      await admin.close();
      await using second = await bus.consumer({ group: 'g', topics: ['t'] });
      assert.deepEqual(
        (await take(second, 10)).map(text),
        Array.from({ length: 10 }, (_, i) => `${50 + i}`),
      );
      assert.equal(bus.stats().expiredRecords, 40);
    });
  }
});
