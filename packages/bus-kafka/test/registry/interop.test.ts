import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfluentSchemaRegistry, Consumer } from '@platformatic/kafka';
import { kafkaMissing, registryMissing, sharedKafka, sharedRegistry } from '@ringfence/dev-servers';
import { createTestAlert } from '@ringfence/synthetic';
import { encode, TOPIC, topicsWith } from '@ringfence/wire';
import { openKafkaBus } from '../../src/bus.ts';
import { withSchemas } from '../../src/registry/schema-bus.ts';
import { book, SCHEMAS } from './registry.ts';

describe('with a real broker and a real registry', { skip: kafkaMissing() ?? registryMissing() ?? false }, () => {
  test('a foreign client reads our records in Confluent’s frame, and our own client gets the same bytes back', async () => {
    const [kafka, registry] = await Promise.all([sharedKafka(), sharedRegistry()]);
    const prefix = `interop-${process.pid}.`;
    await using wire = await openKafkaBus({ brokers: kafka.bootstrap, topicPrefix: prefix });
    await wire.ensureTopics(topicsWith(1).filter(({ name }) => name === TOPIC.alerts || name === SCHEMAS));
    const records = { reads: ['Alert'], writes: ['Alert'], plain: [] };
    const bus = await withSchemas(wire, { book, topic: SCHEMAS, registry: { url: registry.url }, ...records });
    const alert = createTestAlert(1);
    await bus.produce([{ topic: TOPIC.alerts, key: 'h', value: encode('Alert', alert) }]);

    const foreign = new Consumer({
      clientId: 'foreign',
      groupId: `${prefix}foreign`,
      bootstrapBrokers: [...kafka.bootstrap],
      registry: new ConfluentSchemaRegistry({ url: registry.url }),
    });
    const topic = `${prefix}${TOPIC.alerts}`;
    const stream = await foreign.consume({ topics: [topic], mode: 'earliest', autocommit: false });
    for await (const { value } of stream) {
      const { id, rule, events } = value as unknown as typeof alert;
      assert.deepEqual({ id, rule, events }, { id: alert.id, rule: alert.rule, events: alert.events });
      break;
    }
    await foreign.close(true);

    const [read] = await Array.fromAsync(bus.read({ topic: TOPIC.alerts }));
    assert.deepEqual(Buffer.from(read?.value ?? []), encode('Alert', alert));
    assert.equal(read?.wire?.[0], 0);
  });
});
