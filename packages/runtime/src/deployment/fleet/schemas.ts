import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type SchemaBus, withSchemas } from '@ringfence/bus-kafka';
import type { Config, ServiceName } from '@ringfence/config';
import { PLAIN_TOPICS, recordsOf, TOPIC } from '@ringfence/wire';
import { schemaBook } from '../deployment.ts';
import { roleOf } from './identity.ts';
import { registryOptionsOf } from './schema-registry.ts';

/**
 * Adds schemas to the bus, from a registry or from the topic `ringfence.schemas`. An agent without a registry publishes
 * none: it may not write that topic, and its servers know every released version.
 */
export async function withFleetSchemas(
  bus: Bus,
  config: Pick<Config, 'schemaRegistry'>,
  services: readonly ServiceName[],
  { log, signal }: { readonly log: Log; readonly signal?: AbortSignal },
): Promise<Bus | SchemaBus> {
  const registry = registryOptionsOf(config);
  const roles = services.map(roleOf);
  if (registry === undefined && roles.every((role) => role === 'agent')) return bus;
  return withSchemas(bus, {
    book: schemaBook,
    topic: TOPIC.schemas,
    reads: recordsOf(roles, 'reads'),
    writes: recordsOf(roles, 'writes'),
    plain: PLAIN_TOPICS,
    log,
    ...(registry && { registry }),
    ...(signal && { signal }),
  });
}
