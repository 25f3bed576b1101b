import { readFileSync } from 'node:fs';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { RegistryOptions, SchemaBus } from '@ringfence/bus-kafka';
import { withSchemas } from '@ringfence/bus-kafka';
import type { Config, ServiceName } from '@ringfence/config';
import { PLAIN_TOPICS, type Role, recordsOf, TOPIC } from '@ringfence/wire';
import { schemaBook } from './schemas.ts';

/**
 * The bus of a fleet as these services know it: schemas by registry or by topic, as it is set. An agent without a registry says nothing: it may not, and its
 * servers know every released version.
 */
export async function withSchemasOf(
  bus: Bus,
  config: Pick<Config, 'schemaRegistry'>,
  services: readonly ServiceName[],
  { log, signal }: { readonly log: Log; readonly signal?: AbortSignal },
): Promise<Bus | SchemaBus> {
  const registry = registryOf(config);
  const roles = services.map((service): Role => (service === 'collector' ? 'agent' : service));
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

/** undefined: none is set. Throws what reading its certificates gives. */
export function registryOf({ schemaRegistry }: Pick<Config, 'schemaRegistry'>): RegistryOptions | undefined {
  const { url, user, password, ca, timeoutMs } = schemaRegistry;
  if (url === '') return undefined;
  return { url, user, password, timeoutMs, ...(ca === '' ? {} : { ca: readFileSync(ca, 'utf8') }) };
}
