import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { type KafkaCluster, startKafka } from '../../src/index.ts';

async function createTopic(cluster: KafkaCluster, topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...cluster.bootstrap] });
  await admin.createTopics({ topics: [topic], partitions: 1 });
  await admin.close();
}

async function send(cluster: KafkaCluster, topic: string, value: string): Promise<void> {
  const options = { clientId: 'test', bootstrapBrokers: [...cluster.bootstrap], serializers: stringSerializers };
  const producer = new Producer(options);
  await producer.send({ messages: [{ topic, key: 'k', value }], acks: -1 });
  await producer.close(true);
}

/** The values of the first `count` records. */
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

describe('a Kafka of one broker', () => {
  test('keeps what it acknowledged when it is killed and started again', async () => {
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

describe('a Kafka of three brokers', () => {
  test('takes records while one of them is dead', async () => {
    await using cluster = await startKafka({ brokers: 3 });
    assert.equal(cluster.bootstrap.length, 3);
    await createTopic(cluster, 't');
    await cluster.brokers[1]!.stop('SIGKILL');
    await send(cluster, 't', 'with two');
    assert.deepEqual(await read(cluster, 't', 1), ['with two']);
  });
});
