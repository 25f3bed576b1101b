import { describe, test } from 'node:test';
import { conformance, type DriverFactory } from '@ringfence/bus/conformance';
import { pipelineConformance } from '@ringfence/service-kit/conformance';
import { kafkaMissing, sharedKafka } from '@ringfence/testkit/servers';
import { openKafkaBus } from '../src/bus.ts';

const missing = kafkaMissing();
let fleets = 0;

const factoryOf = (client: 'platformatic' | 'kafkajs'): DriverFactory => ({
  bounded: false,
  shared: true,
  atomic: false,
  async make() {
    const { bootstrap } = await sharedKafka();
    // A prefix for each test keeps the topics and groups of the tests apart.
    const topicPrefix = `t${process.pid}-${fleets++}-`;
    const options = { brokers: bootstrap, client, topicPrefix, sessionTimeoutMs: 6000 };
    let bus = await openKafkaBus(options);
    return {
      bus,
      async reopen() {
        await bus.close();
        bus = await openKafkaBus(options);
        return bus;
      },
      dispose: () => bus.close(),
    };
  },
});

for (const client of ['platformatic', 'kafkajs'] as const) {
  const name = `the Kafka bus with ${client}`;
  if (missing === undefined) {
    conformance(name, factoryOf(client));
    pipelineConformance(name, factoryOf(client));
  } else describe(name, () => test('fulfils the contract of the bus', { skip: missing }, () => {}));
}
