import type { TopicSpec } from '@ringfence/bus';
import { replicasOf, STATE_PREFIX, stateTopic, topicSettings } from '../kafka/topic-settings.ts';
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

const OURS = 'ringfence.';

/** Of each role the groups that keep state by partition: each has a changelog beside the topics it reads. */
const STATEFUL: ReadonlyMap<string, readonly string[]> = new Map([
  ['enricher', ['enricher']],
  ['detector', ['detector', 'detector-edges']],
  ['responder', ['responder']],
]);

export function desiredOf(fleet: Fleet): Desired {
  const groups = fleet.roles.flatMap(({ group }) => STATEFUL.get(group ?? '') ?? []);
  const state = groups.map((group): TopicSpec => stateTopic(group, fleet.partitions));
  return {
    topics: [...fleet.specs, ...state].map((spec) => topicOf(spec, fleet)),
    access: fleet.roles.filter(({ principal }) => principal !== '').flatMap((role) => accessOf(role, fleet.prefix)),
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
  const state = group !== null && STATEFUL.has(group) ? `${STATE_PREFIX}${group}` : null;
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
