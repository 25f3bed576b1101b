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

/** As desired, but for one topic. */
const withTopic = (name: string, change: Partial<TopicState>): Actual => ({
  ...asDesired,
  topics: desired.topics.map((topic) => (topic.name === name ? { ...topic, ...change } : topic)),
});

function entry(overrides: Partial<AccessEntry>): AccessEntry {
  return {
    principal: 'User:somebody',
    host: '*',
    resource: 'topic',
    name: TOPIC.alerts,
    pattern: 'literal',
    operation: 'write',
    permission: 'allow',
    ...overrides,
  };
}

describe('what a fleet should have', () => {
  test('every topic, and a changelog for each group that keeps state, with as many partitions as the topics it reads', () => {
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

  test('three copies of which two must have a record; fewer where there are fewer brokers; what is set counts', () => {
    const copies = (overrides: object): (string | number | undefined)[] => {
      const [topic] = desiredOf(createTestFleet(overrides)).topics;
      return [topic?.replicas, topic?.settings['min.insync.replicas']];
    };
    assert.deepEqual(copies({ brokers: 5 }), [3, '2']);
    assert.deepEqual(copies({ brokers: 1 }), [1, '1']);
    assert.deepEqual(copies({ replicationFactor: 5, minInsyncReplicas: 3 }), [5, '3']);
  });

  test('what is kept for a time is deleted after it, the latest of each key is kept for ever, and no writer says what time it is', () => {
    const { settings: raw } = topicOf('ringfence.raw');
    assert.equal(raw['retention.ms'], String(6 * 3_600_000));
    assert.equal(raw['segment.ms'], String(3_600_000));
    assert.equal(topicOf('ringfence.commands').settings['retention.ms'], '-1');
    assert.equal(topicOf('ringfence.incidents').settings['cleanup.policy'], 'compact');
    for (const { settings } of desired.topics) assert.equal(settings['message.timestamp.type'], 'LogAppendTime');
  });

  test('an agent may write raw batches and lines, and nothing else', () => {
    const agent = desired.access.filter(({ principal }) => principal === 'User:agent');
    assert.deepEqual(
      agent.map(({ resource, name, operation, permission }) => [resource, name, operation, permission]),
      [
        ['topic', 'ringfence.raw', 'write', 'allow'],
        ['topic', 'logs-raw', 'write', 'allow'],
      ],
    );
  });

  test('a prefix stands before every topic and group, in the access lists too', () => {
    const { topics: named, access } = desiredOf(createTestFleet({ prefix: 'blue.' }));
    for (const { name } of [...named, ...access]) assert.match(name, /^blue\./);
  });

  test('a role without principal is left out', () => {
    const roles = createTestFleet().roles.map((role, i) => (i === 0 ? { ...role, principal: '' } : role));
    const principals = new Set(desiredOf(createTestFleet({ roles })).access.map(({ principal }) => principal));
    assert.equal(principals.size, ROLES.length - 1);
  });
});

describe('the plan', () => {
  test('is empty where everything is as it should be, in whatever order brokers give a list', () => {
    assert.deepEqual(planTopics(desired, asDesired), {
      changes: [],
      byHand: [],
      foreignAccess: [],
      accessChecked: true,
    });
    const both = { ...topicOf(TOPIC.raw), settings: { 'cleanup.policy': 'compact,delete' } };
    const other = { ...both, settings: { 'cleanup.policy': 'delete,compact' } };
    assert.deepEqual(planTopics({ topics: [both], access: [] }, { topics: [other], access: [] }).changes, []);
  });

  test('creates what is missing', () => {
    const { changes } = planTopics(desired, { topics: [], access: [] });
    assert.equal(changes.length, desired.topics.length + desired.access.length);
  });

  test('puts back a setting that was changed or is not there', () => {
    const settings = { ...topicOf(TOPIC.raw).settings, 'retention.ms': '1' };
    const { changes } = planTopics(desired, withTopic(TOPIC.raw, { settings }));
    assert.deepEqual(changes, [
      { kind: 'alter-setting', topic: TOPIC.raw, setting: 'retention.ms', from: '1', to: String(6 * 3_600_000) },
    ]);
    const { 'retention.ms': _, ...without } = settings;
    assert.equal(planTopics(desired, withTopic(TOPIC.raw, { settings: without })).changes.length, 1);
  });

  test('leaves partitions and copies to a person, and says why', () => {
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

  test('names whoever else may do something with our topics, and does not touch them', () => {
    const strangers = [
      entry({}),
      entry({ name: '*', operation: 'all' }),
      entry({ name: 'ring', pattern: 'prefixed' }),
      entry({ resource: 'group', name: 'detector-x', operation: 'read' }),
      entry({ principal: 'User:detector', permission: 'deny' }),
    ];
    const others = [
      entry({ name: 'orders' }),
      entry({ name: 'ringfence.alerts2' }),
      entry({ resource: 'group', name: 'shop' }),
      entry({ resource: 'cluster', name: 'kafka-cluster', operation: 'other' }),
    ];
    const plan = planTopics(desired, { ...asDesired, access: [...desired.access, ...strangers, ...others] });
    assert.deepEqual(plan.foreignAccess, strangers);
    assert.deepEqual(plan.changes, []);
  });

  test('adds no access where the brokers keep no lists, and says that it did not look', () => {
    const plan = planTopics(desired, { topics: desired.topics, access: null });
    assert.deepEqual(plan, { changes: [], byHand: [], foreignAccess: [], accessChecked: false });
  });

  test('names an entry once that two roles with one principal need', () => {
    const roles = createTestFleet().roles.map((role) => ({ ...role, principal: 'User:all' }));
    const one = desiredOf(createTestFleet({ roles }));
    const added = planTopics(one, { topics: one.topics, access: [] }).changes.map((change) => JSON.stringify(change));
    assert.equal(new Set(added).size, added.length);
  });
});
