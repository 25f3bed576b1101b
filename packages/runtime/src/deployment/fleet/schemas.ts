import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type SchemaBus, withSchemas } from '@ringfence/bus-kafka';
import type { Config, ServiceName } from '@ringfence/config';
import { ACCESS, PLAIN_TOPICS, type RecordName, recordsOf, type SchemaTrust, schemaBook, TOPIC } from '@ringfence/wire';
import { roleOf } from './identity.ts';
import { registryOptionsOf } from './schema-registry.ts';

export interface FleetSchemaOptions {
  readonly trust: SchemaTrust;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** The only records to read; nothing is written. @default those of the services' roles */
  readonly reads?: readonly RecordName[];
}

/**
 * Adds schemas to the bus: signed on the topic `ringfence.schemas`, with their ids in a registry if one is set. An
 * agent without a registry publishes none: it may not use that topic, and its servers know every released version.
 */
export async function withFleetSchemas(
  bus: Bus,
  config: Pick<Config, 'schemaRegistry'>,
  services: readonly ServiceName[],
  { trust, reads, log, signal }: FleetSchemaOptions,
): Promise<Bus | SchemaBus> {
  const registry = registryOptionsOf(config);
  const roles = services.map(roleOf);
  const usesTopic = roles.some((role) => ACCESS[role].reads.includes(TOPIC.schemas));
  if (registry === undefined && !usesTopic) return bus;
  return withSchemas(bus, {
    book: schemaBook(trust),
    topic: TOPIC.schemas,
    usesTopic,
    reads: reads ?? recordsOf(roles, 'reads'),
    writes: reads === undefined ? recordsOf(roles, 'writes') : [],
    plain: PLAIN_TOPICS,
    log,
    ...(registry && { registry }),
    ...(signal && { signal }),
  });
}
