/**
 * Runs an enricher and a detector of a fleet on Kafka until it is killed. Arguments: JSON of brokers, topic prefix, rule
 * file, and the public keys of hosts by their ids (SPKI, base64). Prints the partitions of the detector.
 */
import { createPublicKey } from 'node:crypto';
import type { Consumer, ConsumerOptions } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { startEnricher } from '@ringfence/enricher';
import { startDetector } from '../src/index.ts';

interface Arguments {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly rules: string;
  readonly hosts: Readonly<Record<string, string>>;
}

const { brokers, topicPrefix, rules, hosts } = JSON.parse(process.argv[2] ?? '{}') as Arguments;
const keys = new Map(
  Object.entries(hosts).map(([hostId, der]) => [
    hostId,
    createPublicKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'spki' }),
  ]),
);
const bus = await openKafkaBus({ brokers, topicPrefix, sessionTimeoutMs: 6000, rebalanceTimeoutMs: 10_000 });
const owned = new Set<number>();

/** Prints the assignment of the first stage; the second stage has partitions of its own. */
async function watched(options: ConsumerOptions): Promise<Consumer> {
  const consumer = await bus.consumer(options);
  if (options.group !== 'detector') return consumer;
  const onAssignment = consumer.onAssignment.bind(consumer);
  consumer.onAssignment = (listener) =>
    onAssignment(async (change) => {
      await listener(change);
      for (const partition of change.revoked) owned.delete(partition);
      for (const partition of change.assigned) owned.add(partition);
      console.log(JSON.stringify([...owned].sort()));
    });
  return consumer;
}

const enricher = await startEnricher({ bus, enrolment: { keyFor: (hostId) => keys.get(hostId) } });
const detectorBus = new Proxy(bus, {
  get(target, name) {
    if (name === 'consumer') return watched;
    const value: unknown = Reflect.get(target, name);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const detector = await startDetector({ bus: detectorBus, rulePaths: [rules], watchRules: false });
process.once('SIGTERM', async () => {
  await detector.close();
  await enricher.close();
  await bus.close();
});
await Promise.race([enricher.done, detector.done]);
