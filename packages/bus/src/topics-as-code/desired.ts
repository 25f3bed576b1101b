import type { TopicSpec } from '../port.ts';
import type { AccessEntry, AclOperation, Desired, TopicState } from './types.ts';

/** What a role reads and writes, by names without prefix. */
export interface RoleAccess {
  /** empty: nothing is said about this role */
  readonly principal: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** its groups begin with this, its state topics with `ringfence.state.` and this; null: it has none */
  readonly group: string | null;
}

export interface Fleet {
  readonly specs: readonly TopicSpec[];
  readonly roles: readonly RoleAccess[];
  /** partitions of topics that are spread, and so of the state of those who read them */
  readonly partitions: number;
  /** in front of every name of a topic or group */
  readonly prefix: string;
  /** 0: three, or as many as there are brokers */
  readonly replicationFactor: number;
  /** 0: one less than the replicas, at least one */
  readonly minInsyncReplicas: number;
  readonly brokers: number;
}

/** Of a record batch: a record of the port has at most 1 MiB. */
const MAX_MESSAGE_BYTES = 2 * 2 ** 20;
const STATE = 'ringfence.state.';
const OURS = 'ringfence.';
const MiB = 2 ** 20;
const MINUTE = 60_000;

/** Groups that keep state by partition: each has a changelog beside the topics it reads. */
const STATEFUL: ReadonlySet<string> = new Set(['enricher', 'detector', 'responder']);

export function desiredOf(fleet: Fleet): Desired {
  const groups = fleet.roles.flatMap(({ group }) => (group !== null && STATEFUL.has(group) ? [group] : []));
  const state = groups.map((group): TopicSpec => stateSpec(group, fleet.partitions));
  return {
    topics: [...fleet.specs, ...state].map((spec) => topicOf(spec, fleet)),
    access: fleet.roles.filter(({ principal }) => principal !== '').flatMap((role) => accessOf(role, fleet.prefix)),
  };
}

const stateSpec = (group: string, partitions: number): TopicSpec => ({
  name: `${STATE}${group}`,
  partitions,
  compacted: true,
  retentionMs: Number.POSITIVE_INFINITY,
  retentionBytes: Number.POSITIVE_INFINITY,
});

function topicOf(spec: TopicSpec, { prefix, brokers, replicationFactor, minInsyncReplicas }: Fleet): TopicState {
  const replicas = replicationFactor === 0 ? Math.min(3, brokers) : replicationFactor;
  const insync = minInsyncReplicas === 0 ? Math.max(1, replicas - 1) : minInsyncReplicas;
  return {
    name: `${prefix}${spec.name}`,
    partitions: spec.partitions,
    replicas,
    settings: {
      ...cleanup(spec),
      'min.insync.replicas': String(insync),
      // A replica that lacks acknowledged records never leads.
      'unclean.leader.election.enable': 'false',
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      // The writer's own time could make its records outlive every retention, or go at once.
      'message.timestamp.type': 'LogAppendTime',
    },
  };
}

/** A broker deletes and compacts whole segments, and never the one that is written: small ones keep the promise of the retention, and restores short. */
function cleanup({ compacted, retentionMs, retentionBytes }: TopicSpec): Record<string, string> {
  const bounded = Number.isFinite(retentionMs) || Number.isFinite(retentionBytes);
  if (compacted && !bounded)
    return { 'cleanup.policy': 'compact', 'segment.bytes': String(64 * MiB), 'min.cleanable.dirty.ratio': '0.2' };
  const segmentMs = Math.min(7 * 24 * 60 * MINUTE, Math.max(10 * MINUTE, retentionMs / 6));
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
const bound = (value: number): string => (Number.isFinite(value) ? String(value) : '-1');

/** Reading and writing imply describing. Whoever reads may also ask how all our topics are made; whoever only writes may not. */
function accessOf({ principal, reads, writes, group }: RoleAccess, prefix: string): AccessEntry[] {
  const entry = (
    resource: 'topic' | 'group',
    name: string,
    operation: AclOperation,
    pattern: 'literal' | 'prefixed' = 'literal',
  ): AccessEntry => ({
    principal,
    host: '*',
    resource,
    name: `${prefix}${name}`,
    pattern,
    operation,
    permission: 'allow',
  });
  const state = group !== null && STATEFUL.has(group) ? `${STATE}${group}` : null;
  return [
    ...reads.map((topic) => entry('topic', topic, 'read')),
    ...writes.map((topic) => entry('topic', topic, 'write')),
    ...(group === null ? [] : [entry('group', group, 'read', 'prefixed')]),
    ...(state === null ? [] : [entry('topic', state, 'read', 'prefixed'), entry('topic', state, 'write', 'prefixed')]),
    ...(reads.length === 0
      ? []
      : [entry('topic', OURS, 'describe', 'prefixed'), entry('topic', OURS, 'describe-configs', 'prefixed')]),
  ];
}
