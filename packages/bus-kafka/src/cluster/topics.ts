import { setTimeout as sleep } from 'node:timers/promises';
import { BusRefusedError, checkTopicSpec, type TopicSpec, TopicSpecError, UnknownTopicError } from '@ringfence/bus';
import type { TopicPartition } from '../client/records.ts';
import { EARLIEST, isRefusal, type NewTopic, type Wire, WireError } from '../client/wire.ts';
import type { Cluster } from './cluster.ts';
import { offsetsAt } from './partition-scan.ts';
import { replicasOf, topicSettings } from './topic-settings.ts';

const WAIT_MS = 50;

/**
 * Creates the missing topics and waits until they can be used. Rejects with TopicSpecError, BusRefusedError and
 * BusUnavailableError.
 */
export async function ensureTopics(cluster: Cluster, wire: Wire, specs: readonly TopicSpec[]): Promise<void> {
  for (const spec of specs) checkTopicSpec(spec);
  const { requestDeadlineMs } = cluster.options;
  const created: Set<TopicSpec> = new Set();
  await cluster.retry('creating topics', requestDeadlineMs * 3, async () => {
    const missing: TopicSpec[] = [];
    for (const spec of specs) if (!(await exists(cluster, spec))) missing.push(spec);
    if (missing.length > 0) await create(cluster, wire, missing);
    for (const spec of missing) {
      created.add(spec);
      while (!(await exists(cluster, spec))) await sleep(WAIT_MS);
    }
    // A broker learns that it leads a partition some milliseconds after the metadata names it. Ask until it knows.
    const times = [...created]
      .flatMap((spec) => partitionsOf(cluster, spec))
      .map((partition) => ({ ...partition, timestampMs: EARLIEST }));
    await offsetsAt(cluster, wire, times);
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
        `it has ${partitions} partitions, not ${spec.partitions}, and keys would move: use a new topic`,
      );
    }
  } catch (error) {
    if (error instanceof UnknownTopicError) return false;
    throw error;
  }
  const isLeaderless = partitionsOf(cluster, spec).some((partition) => cluster.leader(partition) === null);
  if (isLeaderless) await cluster.refresh();
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
    // Another process may have created it in the meantime.
    if (error === null || error === 'TOPIC_ALREADY_EXISTS') continue;
    const problem = `topic ${name} does not exist, and creating it failed: ${message || error}`;
    if (isRefusal(error))
      throw new BusRefusedError(`creating topic ${name}`, error, `${problem}; run \`ringfence topics apply\``);
    if (error.startsWith('INVALID') && error !== 'INVALID_REPLICATION_FACTOR') throw new TopicSpecError(name, problem);
    throw new WireError(error, problem);
  }
}
