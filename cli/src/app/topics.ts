import type { Bus, TopicSpec } from '@ringfence/bus';
import type { Config } from '@ringfence/config';
import { type RecordName, recordNames, registerWriter, TOPIC, topicsWith, writerSchemas } from '@ringfence/schema';

/** The topics of one host with their retention as it is set. */
export function topicSpecs(config: Pick<Config, 'topics'>): TopicSpec[] {
  return topicsWith(1).map((topic) => ({ ...topic, ...config.topics[topic.setting] }));
}

/**
 * Says on the bus which schemas this version writes, and learns those that other versions have written. Throws SchemaError when records lie there
 * that this version can't read.
 */
export async function exchangeSchemas(bus: Bus): Promise<void> {
  const known = new Set<string>();
  for await (const { key, value } of bus.read({ topic: TOPIC.schemas })) {
    if (value === null) continue;
    const [name = '', fingerprint = ''] = key.split('/');
    known.add(fingerprint);
    if ((recordNames as readonly string[]).includes(name))
      registerWriter(name as RecordName, Buffer.from(value).toString('utf8'));
  }
  const ours = writerSchemas().filter(({ fingerprint }) => !known.has(fingerprint));
  if (ours.length > 0)
    await bus.produce(
      ours.map(({ name, fingerprint, schema }) => ({
        topic: TOPIC.schemas,
        key: `${name}/${fingerprint}`,
        value: Buffer.from(schema),
      })),
    );
}
