import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topic } from '@ringfence/bus/conformance';
import { PlatformaticWire } from '../src/client/platformatic.ts';
import { Cluster } from '../src/cluster/cluster.ts';
import { endsOf } from '../src/cluster/partition-scan.ts';
import { ensureTopics } from '../src/cluster/topics.ts';
import { compileKafkaOptions } from '../src/options.ts';
import { fleetOptions, missing } from './fleet.ts';

const PARTITIONS = 100;

describe('topics', { skip: missing }, () => {
  // The metadata names the leader of a new partition some milliseconds before the leader knows that it leads.
  test('can be used as soon as ensureTopics resolves', async (t) => {
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
