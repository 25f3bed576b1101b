import { readFileSync } from 'node:fs';
import { RegistryClient, type RegistryOptions, registerSchema, subjectOf } from '@ringfence/bus-kafka';
import type { Config } from '@ringfence/config';
import { ROLES, recordsOf, writerSchemas } from '@ringfence/wire';

/** Returns undefined when no registry is set. Throws when the certificate file can't be read. */
export function registryOptionsOf({ schemaRegistry }: Pick<Config, 'schemaRegistry'>): RegistryOptions | undefined {
  const { url, user, password, ca, timeoutMs } = schemaRegistry;
  if (url === '') return undefined;
  return { url, user, password, timeoutMs, ...(ca === '' ? {} : { ca: readFileSync(ca, 'utf8') }) };
}

/** A schema of this version that the registry does not have. */
export interface MissingSchema {
  readonly subject: string;
  /** False: the registry refuses it, because it is incompatible with the registered versions. */
  readonly compatible: boolean;
}

/** Schemas of the records on the bus; all further schemas are parts of these, or of a store. */
function busSchemas(): ReturnType<typeof writerSchemas> {
  const names = recordsOf(ROLES, 'writes');
  return writerSchemas().filter(({ name }) => names.includes(name));
}

/** Returns the schemas of this version that the registry lacks, or null when no registry is set. */
export async function missingSchemas(config: Pick<Config, 'schemaRegistry'>): Promise<MissingSchema[] | null> {
  const options = registryOptionsOf(config);
  if (options === undefined) return null;
  const client = new RegistryClient(options);
  const missing: MissingSchema[] = [];
  for (const { name, schema } of busSchemas()) {
    const subject = subjectOf(name);
    if ((await client.lookup(subject, schema)) === null)
      missing.push({ subject, compatible: await client.compatible(subject, schema) });
  }
  return missing;
}

/**
 * Registers the schemas of this version, so that services need no right to write to the registry. Rejects with
 * SchemaIncompatibleError at the first schema that is refused.
 */
export async function registerSchemas(config: Pick<Config, 'schemaRegistry'>): Promise<void> {
  const options = registryOptionsOf(config);
  if (options === undefined) return;
  const client = new RegistryClient(options);
  for (const schema of busSchemas()) await registerSchema(client, schema);
}
