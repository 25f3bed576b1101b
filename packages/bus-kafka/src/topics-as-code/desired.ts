import type { TopicSpec } from '@ringfence/bus';
import { replicasOf, STATE_PREFIX, stateTopic, topicSettings } from '../cluster/topic-settings.ts';
import type { AccessEntry, AclOperation, Desired, TopicState } from './types.ts';

/** The access of a role. Names are without the prefix of the fleet. */
export interface RoleAccess {
  /** Empty for a role without access entries. */
  readonly principal: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Prefix of the names of its groups, and of its state topics after `ringfence.state.`; null without groups. */
  readonly group: string | null;
  /** Whether it manages the access lists. @default false */
  readonly managesAccess?: boolean;
}

export interface Fleet {
  readonly specs: readonly TopicSpec[];
  readonly roles: readonly RoleAccess[];
  /** As in Desired. @default '' */
  readonly managedPrincipals?: string;
  /** Partitions of the partitioned topics, and of the changelogs of their readers. */
  readonly partitions: number;
  /** Prefix of the names of all topics and groups. */
  readonly prefix: string;
  /** 0: three, or the number of brokers if that is less. */
  readonly replicationFactor: number;
  /** 0: one less than the replication factor, at least one. */
  readonly minInsyncReplicas: number;
  readonly brokers: number;
}

const TOPIC_PREFIX = 'ringfence.';

/** The groups of each role that keep state by partition, each in its own changelog. */
const STATEFUL: ReadonlyMap<string, readonly string[]> = new Map([
  ['enricher', ['enricher']],
  ['detector', ['detector', 'detector-edges']],
  ['responder', ['responder']],
  ['forwarder', []],
]);

/** Roles whose groups are named by settings, so that they create the changelogs themselves. */
const CREATES_CHANGELOGS: ReadonlySet<string> = new Set(['forwarder']);

export function desiredOf(fleet: Fleet): Desired {
  const groups = fleet.roles.flatMap(({ group }) => STATEFUL.get(group ?? '') ?? []);
  const state = groups.map((group): TopicSpec => stateTopic(group, fleet.partitions));
  return {
    topics: [...fleet.specs, ...state].map((spec) => topicOf(spec, fleet)),
    access: fleet.roles.filter(({ principal }) => principal !== '').flatMap((role) => accessOf(role, fleet.prefix)),
    managedPrincipals: fleet.managedPrincipals ?? '',
  };
}

function topicOf(spec: TopicSpec, fleet: Fleet): TopicState {
  const { replicationFactor, minInsyncReplicas } = replicasOf(fleet, fleet.brokers);
  return {
    name: `${fleet.prefix}${spec.name}`,
    partitions: spec.partitions,
    replicas: replicationFactor,
    settings: topicSettings(spec, minInsyncReplicas),
  };
}

/** The only name of the resource type `cluster`. */
const CLUSTER = 'kafka-cluster';

/** A reader may also describe all topics of the fleet and their settings. READ and WRITE imply DESCRIBE in Kafka. */
export function accessOf(role: RoleAccess, prefix: string): AccessEntry[] {
  const { principal, reads, writes, group, managesAccess = false } = role;
  const entry = (
    resource: 'topic' | 'group' | 'cluster',
    name: string,
    operation: AclOperation,
    pattern: 'literal' | 'prefixed' = 'literal',
  ): AccessEntry => ({
    principal,
    host: '*',
    resource,
    name: resource === 'cluster' ? name : `${prefix}${name}`,
    pattern,
    operation,
    permission: 'allow',
  });
  const state = group !== null && STATEFUL.has(group) ? `${STATE_PREFIX}${group}` : null;
  return [
    ...reads.map((topic) => entry('topic', topic, 'read')),
    ...writes.map((topic) => entry('topic', topic, 'write')),
    ...(managesAccess ? [entry('cluster', CLUSTER, 'alter')] : []),
    ...(group === null ? [] : [entry('group', group, 'read', 'prefixed')]),
    ...(state === null ? [] : [entry('topic', state, 'read', 'prefixed'), entry('topic', state, 'write', 'prefixed')]),
    ...(state !== null && CREATES_CHANGELOGS.has(group ?? '') ? [entry('topic', state, 'create', 'prefixed')] : []),
    ...(reads.length === 0
      ? []
      : [
          entry('topic', TOPIC_PREFIX, 'describe', 'prefixed'),
          entry('topic', TOPIC_PREFIX, 'describe-configs', 'prefixed'),
        ]),
  ];
}
