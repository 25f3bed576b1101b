import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../../src/kafka/cluster.ts';
import { Feed } from '../../src/kafka/feed.ts';
import { LazyOffsets } from '../../src/kafka/lazy-offsets.ts';
import type { Membership } from '../../src/kafka/membership.ts';
import { compileKafkaOptions } from '../../src/kafka/options.ts';
import { type Wire, WireError } from '../../src/kafka/wire.ts';

test('offsets that fail after the end are not tried again, so nothing keeps the process', async () => {
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
  offsets.mark(new Feed({ topic: 't', partition: 0 }, 't', 0, 0));
  const flushed = offsets.flush();
  await sleep(1);
  offsets.stop();
  reject(new WireError('NETWORK', 'the brokers are away'));
  await flushed;
  // The first retry would come after a second.
  await sleep(1300);
  assert.equal(writes, 1);
});
