import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROLES, TOPIC, topics } from '@ringfence/wire';
import { desiredOf } from '../../src/topics-as-code/desired.ts';
import { planTopics } from '../../src/topics-as-code/plan.ts';
import type { AccessEntry, Actual, TopicState } from '../../src/topics-as-code/types.ts';
import { createTestFleet } from './fleet.ts';

const desired = desiredOf(createTestFleet());
const asDesired: Actual = desired;
const topicOf = (name: string): TopicState => desired.topics.find((topic) => topic.name === name) as TopicState;

/** Returns the desired state with a change of one topic. */
const withTopic = (name: string, change: Partial<TopicState>): Actual => ({
  ...asDesired,
  topics: desired.topics.map((topic) => (topic.name === name ? { ...topic, ...change } : topic)),
});

function entry(overrides: Partial<AccessEntry>): AccessEntry {
  return {
    principal: 'User:foreign',
    host: '*',
    resource: 'topic',
    name: TOPIC.alerts,
    pattern: 'literal',
    operation: 'write',
    permission: 'allow',
    ...overrides,
  };
}

describe('the desired state', () => {
  test('has every topic, and a changelog for each group with state, with as many partitions as its input', () => {
    assert.deepEqual(
      desired.topics.map(({ name }) => name).sort(),
      [
        ...topics.map(({ name }) => name),
        ...['enricher', 'detector', 'detector-edges', 'responder'].map((g) => `ringfence.state.${g}`),
      ].sort(),
    );
    assert.deepEqual(
      ['ringfence.raw', 'ringfence.state.detector', 'ringfence.schemas'].map((name) => topicOf(name).partitions),
      [4, 4, 1],
    );
  });

  test('has three replicas with two in sync, fewer on fewer brokers, or the configured numbers', () => {
    const replicasOf = (overrides: object): (string | number | undefined)[] => {
      const [topic] = desiredOf(createTestFleet(overrides)).topics;
      return [topic?.replicas, topic?.settings['min.insync.replicas']];
    };
    assert.deepEqual(replicasOf({ brokers: 5 }), [3, '2']);
    assert.deepEqual(replicasOf({ brokers: 1 }), [1, '1']);
    assert.deepEqual(replicasOf({ replicationFactor: 5, minInsyncReplicas: 3 }), [5, '3']);
  });

  test('has the retention or compaction of each topic, and the brokers’ timestamps', () => {
    const { settings: raw } = topicOf('ringfence.raw');
    assert.equal(raw['retention.ms'], String(6 * 3_600_000));
    assert.equal(raw['segment.ms'], String(3_600_000));
    assert.equal(topicOf('ringfence.commands').settings['retention.ms'], '-1');
    assert.equal(topicOf('ringfence.incidents').settings['cleanup.policy'], 'compact');
    for (const { settings } of desired.topics) assert.equal(settings['message.timestamp.type'], 'LogAppendTime');
  });

  test('lets an agent write raw batches and log lines only', () => {
    const agent = desired.access.filter(({ principal }) => principal === 'User:agent');
    assert.deepEqual(
      agent.map(({ resource, name, operation, permission }) => [resource, name, operation, permission]),
      [
        ['topic', 'ringfence.raw', 'write', 'allow'],
        ['topic', 'logs-raw', 'write', 'allow'],
      ],
    );
  });

  test('has the prefix before every topic and group, in the access lists too', () => {
    const { topics: named, access } = desiredOf(createTestFleet({ prefix: 'blue.' }));
    for (const { name } of [...named, ...access]) assert.match(name, /^blue\./);
  });

  test('omits a role without a principal', () => {
    const roles = createTestFleet().roles.map((role, i) => (i === 0 ? { ...role, principal: '' } : role));
    const principals = new Set(desiredOf(createTestFleet({ roles })).access.map(({ principal }) => principal));
    assert.equal(principals.size, ROLES.length - 1);
  });
});

describe('the plan', () => {
  test('is empty for the desired state, whatever the order of list values', () => {
    assert.deepEqual(planTopics(desired, asDesired), {
      changes: [],
      byHand: [],
      foreignAccess: [],
      accessChecked: true,
    });
    const wanted = { ...topicOf(TOPIC.raw), settings: { 'cleanup.policy': 'compact,delete' } };
    const reordered = { ...wanted, settings: { 'cleanup.policy': 'delete,compact' } };
    const only = { topics: [wanted], access: [], managedPrincipals: '' };
    assert.deepEqual(planTopics(only, { topics: [reordered], access: [] }).changes, []);
  });

  test('creates missing topics and access entries', () => {
    const { changes } = planTopics(desired, { topics: [], access: [] });
    assert.equal(changes.length, desired.topics.length + desired.access.length);
  });

  test('restores changed and missing settings', () => {
    const settings = { ...topicOf(TOPIC.raw).settings, 'retention.ms': '1' };
    const { changes } = planTopics(desired, withTopic(TOPIC.raw, { settings }));
    assert.deepEqual(changes, [
      { kind: 'alter-setting', topic: TOPIC.raw, setting: 'retention.ms', from: '1', to: String(6 * 3_600_000) },
    ]);
    const { 'retention.ms': _, ...without } = settings;
    assert.equal(planTopics(desired, withTopic(TOPIC.raw, { settings: without })).changes.length, 1);
  });

  test('leaves partitions and replicas to the operator, with the reason', () => {
    const { changes, byHand } = planTopics(desired, withTopic(TOPIC.raw, { partitions: 2, replicas: 1 }));
    assert.deepEqual(changes, []);
    assert.deepEqual(
      byHand.map(({ topic, setting, from, to }) => [topic, setting, from, to]),
      [
        [TOPIC.raw, 'partitions', 2, 4],
        [TOPIC.raw, 'replicas', 1, 3],
      ],
    );
    assert.match(byHand[0]?.why ?? '', /another partition.*topicPrefix/);
  });

  test('reports foreign access entries for topics and groups of the fleet, and keeps them', () => {
    const foreign = [
      entry({}),
      entry({ name: '*', operation: 'all' }),
      entry({ name: 'ring', pattern: 'prefixed' }),
      entry({ resource: 'group', name: 'detector-x', operation: 'read' }),
      entry({ principal: 'User:detector', permission: 'deny' }),
    ];
    const unrelated = [
      entry({ name: 'orders' }),
      entry({ name: 'ringfence.alerts2' }),
      entry({ resource: 'group', name: 'shop' }),
      entry({ resource: 'cluster', name: 'kafka-cluster', operation: 'other' }),
    ];
    const plan = planTopics(desired, { ...asDesired, access: [...desired.access, ...foreign, ...unrelated] });
    assert.deepEqual(plan.foreignAccess, foreign);
    assert.deepEqual(plan.changes, []);
  });

  test('leaves entries of principals that the registrar manages out of the report', () => {
    const managed = desiredOf(createTestFleet({ managedPrincipals: 'User:service:' }));
    const entries = [entry({ principal: 'User:service:detector-1' }), entry({ principal: 'User:services' })];
    const plan = planTopics(managed, { ...asDesired, access: [...managed.access, ...entries] });
    assert.deepEqual(plan.foreignAccess, [entries[1]]);
  });

  test('adds no access entries without an authorizer, and reports that access was not checked', () => {
    const plan = planTopics(desired, { topics: desired.topics, access: null });
    assert.deepEqual(plan, { changes: [], byHand: [], foreignAccess: [], accessChecked: false });
  });

  test('adds an entry once for two roles with the same principal', () => {
    const roles = createTestFleet().roles.map((role) => ({ ...role, principal: 'User:all' }));
    const shared = desiredOf(createTestFleet({ roles }));
    const added = planTopics(shared, { topics: shared.topics, access: [] }).changes.map((change) =>
      JSON.stringify(change),
    );
    assert.equal(new Set(added).size, added.length);
  });
});
