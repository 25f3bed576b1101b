import { hostname } from 'node:os';
import type { KafkaBusOptions } from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';
import { identityPaths } from '@ringfence/identity';

type KafkaOptions = Omit<KafkaBusOptions, 'log'>;

/** Name of this process among the members that run the same service. */
export const instanceOf = ({ instance }: Config): string =>
  instance === 'auto' ? `${hostname().toLowerCase()}-${process.pid}` : instance;

/** Returns the broker options as they are set. Empty settings are left to the defaults of the bus. */
export function kafkaOptionsOf({ bus }: Pick<Config, 'bus'>): KafkaOptions {
  const { tls, sasl, partitions: _, ...options } = bus.kafka;
  const { enabled, ...files } = tls;
  const { mechanism, tokenFile, ...user } = sasl;
  return {
    ...options,
    ...(enabled ? { tls: withoutEmpty(files) } : {}),
    ...(mechanism === 'none' ? {} : { sasl: { mechanism, ...withoutEmpty({ ...user, token: tokenFile }) } }),
  };
}

/** Returns `kafkaOptionsOf`, with this member's certificate and client id. */
export function kafkaOptionsWithIdentity(config: Config): KafkaOptions {
  const { clientId, tls, sasl } = config.bus.kafka;
  const { certificate, key, authority } = identityPaths(config.identity.path);
  const options = kafkaOptionsOf(config);
  // The member's certificate is the default; a certificate or a password from the settings takes precedence.
  const client = tls.enabled && tls.cert === '' && sasl.mechanism === 'none' ? { cert: certificate, key } : {};
  const withTls = tls.enabled ? { tls: { ca: authority, ...client, ...options.tls } } : {};
  // Broker logs and `ringfence topology` show the client id.
  return { ...options, ...withTls, clientId: clientId === 'ringfence' ? instanceOf(config) : clientId };
}

function withoutEmpty<T extends Readonly<Record<string, string>>>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== '')) as Partial<T>;
}
