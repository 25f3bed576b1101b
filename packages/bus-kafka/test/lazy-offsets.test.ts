import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Wire, WireError } from '../src/client/wire.ts';
import { Cluster } from '../src/cluster/cluster.ts';
import { LazyOffsets } from '../src/consumer/lazy-offsets.ts';
import type { Membership } from '../src/consumer/membership.ts';
import { PartitionCursor } from '../src/consumer/partition-cursor.ts';
import { compileKafkaOptions } from '../src/options.ts';

test('a commit that fails after the close is not retried, so that no timer keeps the process alive', async () => {
  const { promise, reject } = Promise.withResolvers<'written'>();
  let writes = 0;
  const commitOffsets = (): Promise<'written'> => {
    writes++;
    return promise;
  };
  const offsets = new LazyOffsets(new Cluster(compileKafkaOptions({ brokers: ['localhost:1'] }), {} as Wire), {
    group: 'g',
    commitOffsets,
  } as unknown as Membership);
  offsets.mark(new PartitionCursor({ topic: 't', partition: 0 }, 't', 0, 0));
  const flushed = offsets.flush();
  await sleep(1);
  offsets.stop();
  reject(new WireError('NETWORK', 'the brokers are away'));
  await flushed;
  // The retry would run after one second.
  await sleep(1300);
  assert.equal(writes, 1);
});
