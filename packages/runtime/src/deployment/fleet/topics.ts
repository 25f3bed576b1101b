import { type Desired, desiredOf, SERVICE_PRINCIPAL } from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';
import { ACCESS, ROLES } from '@ringfence/wire';
import { topicSpecs } from '../deployment.ts';

/** Returns the topics and access lists that a fleet of `brokers` brokers should have. */
export function fleetTopics(config: Pick<Config, 'bus' | 'topics' | 'access'>, brokers: number): Desired {
  const { partitions, topicPrefix: prefix, replicationFactor, minInsyncReplicas } = config.bus.kafka;
  return desiredOf({
    specs: topicSpecs(config, partitions),
    roles: ROLES.map((role) => ({
      ...ACCESS[role],
      principal: config.access[role],
      managesAccess: role === 'registrar',
    })),
    managedPrincipals: SERVICE_PRINCIPAL,
    partitions,
    prefix,
    replicationFactor,
    minInsyncReplicas,
    brokers,
  });
}
