import type { Bus } from '@ringfence/bus';
import type { SchemaBusOptions } from './schema-bus.ts';
import { TopicSource } from './topic-source.ts';

/** Only what `withSchemas` does at the start, without a registry: enough for a bus that one process writes. */
export async function exchangeSchemas(
  bus: Bus,
  { book, topic, reads, writes }: Pick<SchemaBusOptions, 'book' | 'topic' | 'reads' | 'writes'>,
): Promise<void> {
  await new TopicSource(bus, topic, book).exchange({ reads, writes });
}
