import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicSpec } from '@ringfence/bus';
import { BusRefusedError, checkTopicSpec, TopicSpecError, UnknownTopicError } from '@ringfence/bus';
import type { Cluster } from './cluster.ts';
import { offsetsAt } from './partition-scan.ts';
import { replicasOf, topicSettings } from './topic-settings.ts';
import { EARLIEST, isRefusal, type NewTopic, type TopicPartition, type Wire, WireError } from './wire.ts';

const WAIT_MS = 50;

/** Makes what is missing and waits until it can be used. Rejects with TopicSpecError, BusRefusedError and BusUnavailableError. */
export async function ensureTopics(cluster: Cluster, wire: Wire, specs: readonly TopicSpec[]): Promise<void> {
  for (const spec of specs) checkTopicSpec(spec);
  const { requestDeadlineMs } = cluster.options;
  const made: Set<TopicSpec> = new Set();
  await cluster.insist('making topics', requestDeadlineMs * 3, async () => {
    const missing: TopicSpec[] = [];
    for (const spec of specs) if (!(await exists(cluster, spec))) missing.push(spec);
    if (missing.length > 0) await create(cluster, wire, missing);
    for (const spec of missing) {
      made.add(spec);
      while (!(await exists(cluster, spec))) await sleep(WAIT_MS);
    }
    // A broker is named as leader some milliseconds before it knows that it leads.
    const first = [...made]
      .flatMap((spec) => partitionsOf(cluster, spec))
      .map((at) => ({ ...at, timestampMs: EARLIEST }));
    await offsetsAt(cluster, wire, first);
  });
}

function partitionsOf(cluster: Cluster, { name, partitions }: TopicSpec): TopicPartition[] {
  const topic = cluster.physical(name);
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
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
  const leaderless = partitionsOf(cluster, spec).some((at) => cluster.leader(at) === null);
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
      configs: topicSettings(spec, minInsyncReplicas),
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
