import { describe, test } from 'node:test';
import { conformance } from '@ringfence/bus/conformance';
import { kafkaMissing, sharedKafka } from '@ringfence/testkit';
import { openKafkaBus } from '../src/bus.ts';

const missing = kafkaMissing();
let fleets = 0;

for (const client of ['platformatic', 'kafkajs'] as const) {
  if (missing !== undefined) {
    describe(`the Kafka bus with ${client}`, () =>
      test('fulfils the contract of the bus', { skip: missing }, () => {}));
    continue;
  }
  conformance(`the Kafka bus with ${client}`, {
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
}
