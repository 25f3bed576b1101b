import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AclOperations, AclPermissionTypes, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';
import type { Consumer } from '@ringfence/bus';
import { type KafkaCluster, kafkaMissing, sharedKafka, startKafka } from '@ringfence/testkit/servers';
import { openKafkaBus } from '../../src/bus.ts';
import { withAdmin } from '../../src/topics-as-code/connect.ts';
import { type GroupView, readTopology } from '../../src/topics-as-code/topology.ts';

const skip = kafkaMissing() ?? false;
const NOTHING = { outputs: [], state: [] };
const SPEC = { compacted: false, retentionMs: 3_600_000, retentionBytes: Number.POSITIVE_INFINITY };

/** Polls until it has seen `count` records, and commits them. */
async function consume(consumer: Consumer, count: number): Promise<void> {
  for (let seen = 0; seen < count; ) {
    const records = await consumer.poll(AbortSignal.timeout(60_000));
    assert.ok(records.length > 0, `only ${seen} of ${count} records arrived`);
    await consumer.commit(records, NOTHING);
    seen += records.length;
  }
}

const ask = (
  cluster: Pick<KafkaCluster, 'bootstrap'>,
  prefix: string,
  group: string,
  topics: readonly string[],
): Promise<GroupView> =>
  withAdmin({ brokers: cluster.bootstrap }, async (admin) => {
    const [view] = await readTopology(admin, [{ group, topics }], prefix);
    assert.ok(view);
    return view;
  });

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ topic: 'in', key: `key-${i}`, value: Buffer.from([i]) }));

test('the topology has members with partitions, uncommitted records, and partitions without a member', {
  skip,
}, async () => {
  const cluster = await sharedKafka();
  const prefix = `topology-${randomBytes(4).toString('hex')}-`;
  const options = { brokers: cluster.bootstrap, topicPrefix: prefix };
  await using bus = await openKafkaBus({ ...options, clientId: 'one' });
  await bus.ensureTopics([{ name: 'in', partitions: 3, ...SPEC }]);

  const before = await ask(cluster, prefix, 'work', ['in', 'missing']);
  assert.deepEqual(before.members, []);
  assert.deepEqual(before.topics, [{ topic: 'in', partitions: 3, lag: 0, end: 0, unowned: [0, 1, 2] }]);

  const consumer = await bus.consumer({ group: 'work', topics: ['in'] });
  await bus.produce(records(30));
  await consume(consumer, 30);
  let caughtUp = await ask(cluster, prefix, 'work', ['in']);
  // Offsets without outputs are committed with a delay.
  for (let tries = 0; tries < 100 && caughtUp.topics[0]?.lag !== 0; tries++) {
    await sleep(100);
    caughtUp = await ask(cluster, prefix, 'work', ['in']);
  }
  assert.deepEqual(
    caughtUp.members.map(({ client, partitions }) => [client, partitions]),
    [['one', [0, 1, 2]]],
  );
  assert.deepEqual(caughtUp.topics, [{ topic: 'in', partitions: 3, lag: 0, end: 30, unowned: [] }]);
  assert.equal(caughtUp.state, 'Stable');

  await consumer.close();
  await bus.produce(records(7));
  const alone = await ask(cluster, prefix, 'work', ['in']);
  assert.deepEqual([alone.state, alone.members], ['Empty', []]);
  assert.deepEqual(alone.topics, [{ topic: 'in', partitions: 3, lag: 7, end: 37, unowned: [0, 1, 2] }]);
});

test('a group that the user may not describe is Forbidden, and topics without that right are missing', {
  skip,
}, async () => {
  await using cluster = await startKafka({ security: 'sasl', users: { some: 'some' } });
  const as = (username: string, password: string) => ({
    brokers: cluster.bootstrap,
    sasl: { mechanism: 'plain' as const, username, password },
  });
  const readAsUser = () =>
    withAdmin(as('some', 'some'), (admin) =>
      readTopology(admin, [
        { group: 'allowed', topics: ['in'] },
        { group: 'denied', topics: ['in'] },
      ]),
    );
  await using bus = await openKafkaBus(as('admin', 'admin-secret'));
  await bus.ensureTopics([{ name: 'in', partitions: 1, ...SPEC }]);
  const nothing = { members: [], topics: [] };
  assert.deepEqual(await readAsUser(), [
    { group: 'allowed', state: 'Dead', ...nothing },
    { group: 'denied', state: 'Dead', ...nothing },
  ]);

  const allow = (resourceType: (typeof ResourceTypes)[keyof typeof ResourceTypes], resourceName: string) => ({
    resourceType,
    resourceName,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:some',
    host: '*',
    operation: AclOperations.DESCRIBE,
    permissionType: AclPermissionTypes.ALLOW,
  });
  await withAdmin(as('admin', 'admin-secret'), async (admin) => {
    await admin.createAcls({ creations: [allow(ResourceTypes.TOPIC, 'in'), allow(ResourceTypes.GROUP, 'allowed')] });
  });
  const topics = [{ topic: 'in', partitions: 1, lag: 0, end: 0, unowned: [0] }];
  // A broker accepts access entries a moment before it applies them.
  for (let tries = 0; tries < 100 && (await readAsUser())[0]?.topics.length === 0; tries++) await sleep(100);
  assert.deepEqual(await readAsUser(), [
    { group: 'allowed', state: 'Dead', members: [], topics },
    { group: 'denied', state: 'Forbidden', ...nothing },
  ]);
});
