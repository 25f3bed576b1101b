/**
 * Prints the throughput of both clients: node --conditions=@ringfence/source packages/bus-kafka/bench/kafka.ts BROKER
 *
 * Records have the size of a RawBatch: 512 KiB, half text that compresses well, half random. Acks of all replicas,
 * zstd.
 */
import { randomBytes } from 'node:crypto';
import { openKafkaBus } from '../src/bus.ts';

const BYTES = 512 * 1024;
const RECORDS = 200;
/** Average size of an event in a RawBatch. */
const EVENT_BYTES = 180;

const [broker = '127.0.0.1:9092'] = process.argv.slice(2);
const value = Buffer.concat([Buffer.alloc(BYTES / 2, 'execve /usr/bin/id '), randomBytes(BYTES / 2)]);

function print(operation: string, client: string, started: number): void {
  const seconds = (performance.now() - started) / 1000;
  const megabytes = (RECORDS * BYTES) / 2 ** 20 / seconds;
  const events = (RECORDS * BYTES) / EVENT_BYTES / seconds;
  console.log(
    `${operation.padEnd(20)} ${client.padEnd(14)} ${megabytes.toFixed(0).padStart(6)} MiB/s ${events.toFixed(0).padStart(10)} events/s`,
  );
}

for (const client of ['platformatic', 'kafkajs'] as const) {
  const bus = await openKafkaBus({ brokers: [broker], client, topicPrefix: `bench-${process.pid}-${client}-` });
  const spec = { compacted: false, retentionMs: 600_000, retentionBytes: Infinity };
  await bus.ensureTopics([
    { name: 'raw', partitions: 12, ...spec },
    { name: 'events', partitions: 12, ...spec },
  ]);
  await bus.produce([{ topic: 'raw', key: 'warm', value }]);
  let started = performance.now();
  for (let i = 0; i < RECORDS; i += 4)
    await bus.produce([0, 1, 2, 3].map((k) => ({ topic: 'raw', key: `host-${i + k}`, value })));
  print('produce', client, started);
  const consumer = await bus.consumer({ group: 'bench', topics: ['raw'] });
  started = performance.now();
  for (let seen = 0; seen < RECORDS; ) {
    const records = await consumer.poll();
    await consumer.commit(records, { outputs: records.map(({ key }) => ({ topic: 'events', key, value })), state: [] });
    seen += records.length;
  }
  print('read and forward', client, started);
  await bus.close();
}
