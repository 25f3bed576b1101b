import type { Bus } from '@ringfence/bus';
import { exchangeSchemas, type SchemaBook } from '@ringfence/bus-kafka/schemas';
import { isKnownSchema, learnSchema, ROLES, recordsOf, TOPIC, writerSchemas } from '@ringfence/wire';

export const schemaBook: SchemaBook = { ours: writerSchemas, knows: isKnownSchema, learn: learnSchema };

/**
 * At the start of a bus of one process: says which schemas this version writes, learns those of others. Rejects with SchemaIncompatibleError when records
 * lie there that this version can't read.
 */
export async function saySchemas(bus: Bus): Promise<void> {
  const records = { reads: recordsOf(ROLES, 'reads'), writes: recordsOf(ROLES, 'writes') };
  await exchangeSchemas(bus, { book: schemaBook, topic: TOPIC.schemas, ...records });
}
