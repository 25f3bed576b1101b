import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topic } from '@ringfence/bus/conformance';
import { Cluster } from '../../src/kafka/cluster.ts';
import { compileKafkaOptions } from '../../src/kafka/options.ts';
import { endsOf } from '../../src/kafka/partition-scan.ts';
import { PlatformaticWire } from '../../src/kafka/platformatic.ts';
import { ensureTopics } from '../../src/kafka/topics.ts';
import { fleetOptions, missing } from './fleet.ts';

const PARTITIONS = 100;

describe('topics', { skip: missing }, () => {
  // Brokers name the leader of a partition some milliseconds before it knows that it leads.
  test('that were made can be used at once', async (t) => {
    const options = compileKafkaOptions(await fleetOptions());
    const wire = new PlatformaticWire(options);
    t.after(() => wire.close());
    const cluster = new Cluster(options, wire);
    for (const name of ['a', 'b']) {
      await ensureTopics(cluster, wire, [topic(name, { partitions: PARTITIONS })]);
      const physical = cluster.physical(name);
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: physical, partition }));
      const ends = await endsOf(cluster, wire, partitions);
      assert.equal(ends.size, PARTITIONS);
    }
  });
});
