import type { Bus } from '@ringfence/bus';
import type { SchemaBusOptions } from './schema-bus.ts';
import { TopicSource } from './topic-source.ts';

export type { SchemaBook } from './book.ts';

/**
 * Exchanges schemas on their topic, once, as `withSchemas` does at the start without a registry. Sufficient for a bus
 * that a single process writes to.
 */
export async function exchangeSchemas(
  bus: Bus,
  { book, topic, reads, writes, log }: Pick<SchemaBusOptions, 'book' | 'topic' | 'reads' | 'writes' | 'log'>,
): Promise<void> {
  await new TopicSource(bus, topic, book, log).exchange({ reads, writes });
}
