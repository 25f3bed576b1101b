import type { TopicSpec } from '@ringfence/bus';

/** The changelogs of state stores, one to a group. */
export const STATE_PREFIX = 'ringfence.state.';

const MINUTE_MS = 60_000;
const MiB = 2 ** 20;
/** Of a record batch: room for the largest record of the port, its key and frames. */
const MAX_MESSAGE_BYTES = 2 * MiB;

/** The changelog of a group's state stores. */
export function stateTopic(group: string, partitions: number): TopicSpec {
  const name = `${STATE_PREFIX}${group}`;
  return { name, partitions, compacted: true, retentionMs: Infinity, retentionBytes: Infinity };
}

/** How many copies a topic gets, and how many must have a record before it counts as written; 0 in the settings: chosen by the number of brokers. */
export function replicasOf(
  settings: { readonly replicationFactor: number; readonly minInsyncReplicas: number },
  brokers: number,
): { readonly replicationFactor: number; readonly minInsyncReplicas: number } {
  const replicationFactor = settings.replicationFactor || Math.max(1, Math.min(3, brokers));
  return { replicationFactor, minInsyncReplicas: settings.minInsyncReplicas || Math.max(1, replicationFactor - 1) };
}

/** The settings of a topic in Kafka's words. */
export function topicSettings(spec: TopicSpec, minInsyncReplicas: number): Readonly<Record<string, string>> {
  return {
    ...cleanup(spec),
    ...(spec.name.startsWith(STATE_PREFIX) ? STATE_SETTINGS : {}),
    'min.insync.replicas': String(minInsyncReplicas),
    // A replica that lacks acknowledged records never leads.
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    // The writer's own time could make its records outlive every retention, or go at once.
    'message.timestamp.type': 'LogAppendTime',
  };
}

/** What a member that had lost its partition wrote is found and undone well before compaction could keep it in place of what counts. */
const STATE_SETTINGS = { 'min.compaction.lag.ms': String(60 * MINUTE_MS), 'segment.ms': String(60 * MINUTE_MS) };

/** A broker deletes and compacts whole segments, and never the one that is written: small ones keep the promise of the retention, and restores short. */
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

/** Kafka's word for no bound. */
const bound = (value: number): string => (Number.isFinite(value) ? String(Math.floor(value)) : '-1');
