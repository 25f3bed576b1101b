import { syncServiceAccess, withAdmin } from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';
import type { SetBrokerAccess } from '@ringfence/registrar';
import { ACCESS } from '@ringfence/wire';
import { kafkaOptionsWithIdentity } from './kafka-options.ts';

/**
 * Returns a function that writes the access lists of services. Returns undefined when the brokers do not know services
 * by their certificates.
 */
export function brokerAccess(config: Config): SetBrokerAccess | undefined {
  const { tls, sasl, topicPrefix } = config.bus.kafka;
  if (!tls.enabled || sasl.mechanism !== 'none') return undefined;
  return (services) => {
    const access = [...services].map(([name, roles]) => ({ name, roles: roles.map((role) => ACCESS[role]) }));
    return withAdmin(kafkaOptionsWithIdentity(config), (admin) => syncServiceAccess(admin, access, topicPrefix));
  };
}
