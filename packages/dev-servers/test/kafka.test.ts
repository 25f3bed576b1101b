import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { type KafkaCluster, kafkaMissing, startKafka } from '../src/kafka.ts';

/** A client that retries forever must not block the test run. */
const GIVEN = { skip: kafkaMissing() ?? false, timeout: 180_000 };

async function createTopic(cluster: KafkaCluster, topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...cluster.bootstrap] });
  await admin.createTopics({ topics: [topic], partitions: 1 });
  await admin.close();
}

async function send(cluster: KafkaCluster, topic: string, value: string, retries = 60): Promise<void> {
  const options = { clientId: 'test', bootstrapBrokers: [...cluster.bootstrap], retries, retryDelay: 500 };
  const producer = new Producer({ ...options, serializers: stringSerializers });
  await producer.send({ messages: [{ topic, key: 'k', value }], acks: -1 });
  await producer.close(true);
}

/** Returns the values of the first `count` records. */
async function read(cluster: KafkaCluster, topic: string, count: number): Promise<string[]> {
  const options = { clientId: 'test', groupId: 'g', bootstrapBrokers: [...cluster.bootstrap] };
  const consumer = new Consumer({ ...options, deserializers: stringDeserializers });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false });
  const values: string[] = [];
  for await (const { value } of stream) {
    values.push(value);
    if (values.length === count) break;
  }
  await consumer.close(true);
  return values;
}

describe('a Kafka of one broker', GIVEN, () => {
  test('keeps acknowledged records when it is killed and restarted', async () => {
    await using cluster = await startKafka();
    const broker = cluster.brokers[0]!;
    await createTopic(cluster, 't');
    await send(cluster, 't', 'before');
    const pid = broker.pid;
    await broker.stop('SIGKILL');
    assert.equal(broker.pid, undefined);
    await broker.start();
    assert.notEqual(broker.pid, pid);
    await send(cluster, 't', 'after');
    assert.deepEqual(await read(cluster, 't', 2), ['before', 'after']);
  });
});

describe('a Kafka of three brokers', GIVEN, () => {
  test('accepts records while one broker is dead', async () => {
    await using cluster = await startKafka({ brokers: 3 });
    assert.equal(cluster.bootstrap.length, 3);
    await createTopic(cluster, 't');
    await cluster.brokers[1]!.stop('SIGKILL');
    await send(cluster, 't', 'with two');
    assert.deepEqual(await read(cluster, 't', 1), ['with two']);
  });
});

describe('a Kafka behind proxies', GIVEN, () => {
  test('is reachable through the proxies only', async () => {
    await using cluster = await startKafka({ proxied: true });
    const proxy = cluster.brokers[0]!.proxy!;
    await createTopic(cluster, 't');
    const before = proxy.transferred.up;
    await send(cluster, 't', 'through');
    assert.ok(proxy.transferred.up > before);
    await proxy.set({ refuse: true });
    await assert.rejects(send(cluster, 't', 'refused', 0));
    await proxy.set({});
    await send(cluster, 't', 'healed');
    assert.equal((await read(cluster, 't', 2)).includes('healed'), true);
  });
});
