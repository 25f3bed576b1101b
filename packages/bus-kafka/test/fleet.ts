import { kafkaMissing, sharedKafka } from '@ringfence/testkit/servers';
import type { KafkaBusOptions } from '../src/options.ts';

/** The reason why these tests can't run on this machine, or undefined. */
export const missing: string | undefined = kafkaMissing();

let fleets = 0;

/** Returns options with a topic prefix that no other test uses. */
export async function fleetOptions(overrides: Partial<KafkaBusOptions> = {}): Promise<KafkaBusOptions> {
  const brokers = overrides.brokers ?? (await sharedKafka()).bootstrap;
  return { topicPrefix: `f${process.pid}-${fleets++}-`, sessionTimeoutMs: 6000, ...overrides, brokers };
}
