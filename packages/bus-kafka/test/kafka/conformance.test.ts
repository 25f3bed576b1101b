import { describe, it } from 'node:test';
import { conformance } from '@ringfence/bus/conformance';
import { kafkaMissing, sharedKafka } from '@ringfence/dev-servers';
import { openKafkaBus } from '../../src/kafka/bus.ts';

const missing = kafkaMissing();
let fleets = 0;

for (const client of ['platformatic', 'kafkajs'] as const) {
  if (missing !== undefined) {
    describe(`the Kafka bus by ${client}`, () => it('keeps the contract of the bus', { skip: missing }, () => {}));
    continue;
  }
  conformance(`the Kafka bus by ${client}`, {
    bounded: false,
    shared: true,
    atomic: false,
    async make() {
      const { bootstrap } = await sharedKafka();
      // A fleet of its own for each test.
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
