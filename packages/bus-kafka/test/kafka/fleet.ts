import { kafkaMissing, sharedKafka } from '@ringfence/dev-servers';
import type { KafkaBusOptions } from '../../src/kafka/options.ts';

/** Why these tests can't run here; undefined when they can. */
export const missing: string | undefined = kafkaMissing();

let fleets = 0;

/** Brokers and names that no other test has. */
export async function fleetOptions(overrides: Partial<KafkaBusOptions> = {}): Promise<KafkaBusOptions> {
  const brokers = overrides.brokers ?? (await sharedKafka()).bootstrap;
  return { topicPrefix: `f${process.pid}-${fleets++}-`, sessionTimeoutMs: 6000, ...overrides, brokers };
}
