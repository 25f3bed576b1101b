import type { KafkaBusOptions } from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';

/** How the brokers are reached, as it is set. Empty settings are left to the defaults of the bus. */
export function kafkaOptionsOf({ bus }: Pick<Config, 'bus'>): Omit<KafkaBusOptions, 'log'> {
  const { tls, sasl, partitions: _, ...plain } = bus.kafka;
  const { enabled, ...files } = tls;
  const { mechanism, tokenFile, ...user } = sasl;
  return {
    ...plain,
    ...(enabled ? { tls: withoutEmpty(files) } : {}),
    ...(mechanism === 'none' ? {} : { sasl: { mechanism, ...withoutEmpty({ ...user, token: tokenFile }) } }),
  };
}

function withoutEmpty<T extends Readonly<Record<string, string>>>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== '')) as Partial<T>;
}
