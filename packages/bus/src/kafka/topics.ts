import { setTimeout as sleep } from 'node:timers/promises';
import { BusRefusedError, TopicSpecError, UnknownTopicError } from '../errors.ts';
import { checkTopicSpec } from '../limits.ts';
import type { TopicSpec } from '../port.ts';
import type { Cluster } from './cluster.ts';
import type { CompiledKafkaOptions } from './options.ts';
import { isRefusal, type NewTopic, type Wire, WireError } from './wire.ts';

/** Room for our largest record, its key and the frame of its batch. */
const MAX_MESSAGE_BYTES = 2 * 2 ** 20;
const WAIT_MS = 50;
const HOUR_MS = 3_600_000;

export const STATE_PREFIX = 'ringfence.state.';

/** The changelog of a group's state stores. */
export function stateTopic(group: string, partitions: number): TopicSpec {
  const name = `${STATE_PREFIX}${group}`;
  return { name, partitions, compacted: true, retentionMs: Infinity, retentionBytes: Infinity };
}

/** The settings of a topic in Kafka's words. */
export function topicConfigs(spec: TopicSpec): Readonly<Record<string, string>> {
  const finite = (value: number) => (Number.isFinite(value) ? String(Math.floor(value)) : '-1');
  return {
    'cleanup.policy': spec.compacted ? 'compact' : 'delete',
    'retention.ms': finite(spec.retentionMs),
    'retention.bytes': finite(spec.retentionBytes),
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    // When the bus took it: a host's clock may be wrong, and retention goes by this time.
    'message.timestamp.type': 'LogAppendTime',
    ...(spec.name.startsWith(STATE_PREFIX) ? STATE_CONFIGS : {}),
  };
}

/** What a member that had lost a partition wrote is found and undone well before compaction could keep it instead of what counts. */
const STATE_CONFIGS = {
  'min.compaction.lag.ms': String(HOUR_MS),
  'segment.ms': String(HOUR_MS),
  'segment.bytes': String(64 * 2 ** 20),
};

/** How many copies a topic that is made gets, and how many must have a record before it counts as written. */
export function replicasOf(
  { replicationFactor, minInsyncReplicas }: Pick<CompiledKafkaOptions, 'replicationFactor' | 'minInsyncReplicas'>,
  brokers: number,
): { readonly replicationFactor: number; readonly minInsyncReplicas: number } {
  const replicas = replicationFactor || Math.max(1, Math.min(3, brokers));
  return { replicationFactor: replicas, minInsyncReplicas: minInsyncReplicas || Math.max(1, replicas - 1) };
}

/** Makes what is missing and waits until it can be used. Rejects with TopicSpecError, BusRefusedError and BusUnavailableError. */
export async function ensureTopics(cluster: Cluster, wire: Wire, specs: readonly TopicSpec[]): Promise<void> {
  for (const spec of specs) checkTopicSpec(spec);
  const { requestDeadlineMs } = cluster.options;
  await cluster.insist('making topics', requestDeadlineMs * 3, async () => {
    const missing: TopicSpec[] = [];
    for (const spec of specs) if (!(await exists(cluster, spec))) missing.push(spec);
    if (missing.length === 0) return;
    await create(cluster, wire, missing);
    for (const spec of missing) while (!(await exists(cluster, spec))) await sleep(WAIT_MS);
  });
}

async function exists(cluster: Cluster, spec: TopicSpec): Promise<boolean> {
  const topic = cluster.physical(spec.name);
  try {
    const partitions = await cluster.partitions(topic, 0);
    if (partitions !== spec.partitions) {
      throw new TopicSpecError(
        spec.name,
        `it has ${partitions} partitions, not ${spec.partitions}; keys would move: use a new topic`,
      );
    }
  } catch (error) {
    if (error instanceof UnknownTopicError) return false;
    throw error;
  }
  const leaderless = Array.from({ length: spec.partitions }, (_, partition) => ({ topic, partition })).some(
    (at) => cluster.leader(at) === null,
  );
  if (leaderless) await cluster.refresh();
  return true;
}

async function create(cluster: Cluster, wire: Wire, specs: readonly TopicSpec[]): Promise<void> {
  const node = await cluster.controller();
  const { replicationFactor, minInsyncReplicas } = replicasOf(cluster.options, cluster.brokerCount);
  const topics = specs.map(
    (spec): NewTopic => ({
      name: cluster.physical(spec.name),
      partitions: spec.partitions,
      replicationFactor,
      configs: { ...topicConfigs(spec), 'min.insync.replicas': String(minInsyncReplicas) },
    }),
  );
  for (const { name, error, message } of await wire.createTopics(node, topics)) {
    // Another service was faster.
    if (error === null || error === 'TOPIC_ALREADY_EXISTS') continue;
    const said = `topic ${name} does not exist, and making it failed: ${message || error}`;
    if (isRefusal(error))
      throw new BusRefusedError(`making topic ${name}`, error, `${said}; \`ringfence topics apply\` makes it`);
    if (error.startsWith('INVALID') && error !== 'INVALID_REPLICATION_FACTOR') throw new TopicSpecError(name, said);
    throw new WireError(error, said);
  }
}
