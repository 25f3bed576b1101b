import type { TopicSpec } from '@ringfence/bus';

/** Name of a changelog topic, before the name of its group. */
export const STATE_PREFIX = 'ringfence.state.';

const MINUTE_MS = 60_000;
const MiB = 2 ** 20;
/** Limit for a record batch: the largest record of the port, with key and framing. */
const MAX_MESSAGE_BYTES = 2 * MiB;

/** The changelog of a group's state stores. */
export function stateTopic(group: string, partitions: number): TopicSpec {
  const name = `${STATE_PREFIX}${group}`;
  return { name, partitions, compacted: true, retentionMs: Infinity, retentionBytes: Infinity };
}

/** Returns replication factor and minimum of in-sync replicas. A setting of 0 is derived from the number of brokers. */
export function replicasOf(
  settings: { readonly replicationFactor: number; readonly minInsyncReplicas: number },
  brokers: number,
): { readonly replicationFactor: number; readonly minInsyncReplicas: number } {
  const replicationFactor = settings.replicationFactor || Math.max(1, Math.min(3, brokers));
  return { replicationFactor, minInsyncReplicas: settings.minInsyncReplicas || Math.max(1, replicationFactor - 1) };
}

/** Returns the settings of a topic, by Kafka's names. */
export function topicSettings(spec: TopicSpec, minInsyncReplicas: number): Readonly<Record<string, string>> {
  return {
    ...cleanup(spec),
    ...(spec.name.startsWith(STATE_PREFIX) ? STATE_SETTINGS : {}),
    'min.insync.replicas': String(minInsyncReplicas),
    // A replica that lacks acknowledged records must not become leader.
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    // With a writer's own time, its records could outlive every retention, or expire at once.
    'message.timestamp.type': 'LogAppendTime',
  };
}

/** Delays compaction until the owner has found and replaced the records of a member that had lost the partition. */
const STATE_SETTINGS = { 'min.compaction.lag.ms': String(60 * MINUTE_MS), 'segment.ms': String(60 * MINUTE_MS) };

/**
 * A broker deletes and compacts whole segments, and never the active one. Small segments therefore keep the retention
 * exact and restores short.
 */
function cleanup({ compacted, retentionMs, retentionBytes }: TopicSpec): Record<string, string> {
  const bounded = Number.isFinite(retentionMs) || Number.isFinite(retentionBytes);
  if (compacted && !bounded)
    return { 'cleanup.policy': 'compact', 'segment.bytes': String(64 * MiB), 'min.cleanable.dirty.ratio': '0.2' };
  const segmentMs = Math.min(7 * 24 * 60 * MINUTE_MS, Math.max(10 * MINUTE_MS, retentionMs / 6));
  const segmentBytes = Math.min(1024 * MiB, Math.max(16 * MiB, retentionBytes / 8));
  return {
    'cleanup.policy': compacted ? 'compact,delete' : 'delete',
    'retention.ms': bound(retentionMs),
    'retention.bytes': bound(retentionBytes),
    'segment.ms': String(Math.round(segmentMs)),
    'segment.bytes': String(Math.round(segmentBytes)),
  };
}

/** -1 is Kafka's value for "no limit". */
const bound = (value: number): string => (Number.isFinite(value) ? String(Math.floor(value)) : '-1');
