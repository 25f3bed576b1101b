import { RegistryClient, registerSchema, subjectOf } from '@ringfence/bus-kafka';
import type { Config } from '@ringfence/config';
import { ROLES, recordsOf, writerSchemas } from '@ringfence/wire';
import { registryOf } from './fleet-schemas.ts';

/** A schema of this version that the registry has not. */
export interface MissingSchema {
  readonly subject: string;
  /** false: the registry will not take it beside those that it has */
  readonly compatible: boolean;
}

/** Every record that travels; the rest is inside others, or in a store. */
const travelling = (): ReturnType<typeof writerSchemas> => {
  const names = recordsOf(ROLES, 'writes');
  return writerSchemas().filter(({ name }) => names.includes(name));
};

/** What this version writes and the registry lacks; null: no registry is set. */
export async function missingSchemas(config: Pick<Config, 'schemaRegistry'>): Promise<MissingSchema[] | null> {
  const options = registryOf(config);
  if (options === undefined) return null;
  const client = new RegistryClient(options);
  const missing: MissingSchema[] = [];
  for (const { name, schema } of travelling()) {
    const subject = subjectOf(name);
    if ((await client.lookup(subject, schema)) === null)
      missing.push({ subject, compatible: await client.compatible(subject, schema) });
  }
  return missing;
}

/** Registers all of them, so that services need no right to. Rejects with SchemaIncompatibleError at the first that is refused. */
export async function registerSchemas(config: Pick<Config, 'schemaRegistry'>): Promise<void> {
  const options = registryOf(config);
  if (options === undefined) return;
  const client = new RegistryClient(options);
  for (const own of travelling()) await registerSchema(client, own);
}
