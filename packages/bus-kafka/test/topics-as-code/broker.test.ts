import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Admin,
  ConfigResourceTypes,
  Consumer,
  IncrementalAlterConfigOperationTypes,
  Producer,
  stringSerializers,
} from '@platformatic/kafka';
import { type KafkaCluster, kafkaMissing, sharedKafka, startKafka } from '@ringfence/dev-servers';
import { ACCESS, ROLES, type Role, TOPIC } from '@ringfence/wire';
import { applyPlan, brokersOf, readActual } from '../../src/topics-as-code/admin.ts';
import { desiredOf } from '../../src/topics-as-code/desired.ts';
import { planTopics } from '../../src/topics-as-code/plan.ts';
import type { Plan } from '../../src/topics-as-code/types.ts';
import { createTestFleet } from './fleet.ts';

/** A user for each role; the password is the name. Only admin has all rights. */
const USERS = Object.fromEntries(ROLES.map((role) => [role, role]));
const ADMIN = { username: 'admin', password: 'admin-secret' };
const MISSING = kafkaMissing();
const skip = MISSING ?? false;

function clientOf(cluster: KafkaCluster, user: string) {
  return {
    clientId: user,
    bootstrapBrokers: [...cluster.bootstrap],
    sasl: { mechanism: 'PLAIN' as const, ...(user === 'admin' ? ADMIN : { username: user, password: user }) },
    retries: 0,
    timeout: 10_000,
  };
}

/** Returns `ok`, or the error code of the brokers from the causes of the error. */
async function outcome(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'ok';
  } catch (error) {
    return brokerCode(error) ?? String(error);
  }
}

/** Repeats a request while the group coordinator starts, which it does at the first request. */
async function outcomeOfGroupRequest(attempt: () => Promise<unknown>): Promise<string> {
  for (;;) {
    const answer = await outcome(attempt());
    if (!/COORDINATOR/.test(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function brokerCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { apiId, errors = [], cause } = error as Error & { apiId?: string; errors?: readonly unknown[] };
  return apiId ?? [...errors, cause].map(brokerCode).find((code) => code !== undefined);
}

async function plan(admin: Admin, overrides: Parameters<typeof createTestFleet>[0] = {}): Promise<Plan> {
  const desired = desiredOf(createTestFleet({ brokers: await brokersOf(admin), ...overrides }));
  return planTopics(desired, await readActual(admin, desired));
}

describe('topics and access lists on a real broker', { skip }, () => {
  let cluster: KafkaCluster;
  let admin: Admin;

  before(async () => {
    cluster = await startKafka({ security: 'sasl', users: USERS });
    admin = new Admin(clientOf(cluster, 'admin'));
  });
  after(async () => {
    await admin?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  test('apply creates everything, and the next plan is empty', async () => {
    const first = await plan(admin);
    const done: unknown[] = [];
    await applyPlan(admin, first, (change) => done.push(change));
    assert.equal(done.length, first.changes.length);
    assert.ok(done.length > 60);
    assert.deepEqual(await plan(admin), { changes: [], byHand: [], foreignAccess: [], accessChecked: true });
  });

  test('changed settings are found, and restored', async () => {
    const configs = [
      { name: 'retention.ms', configOperation: IncrementalAlterConfigOperationTypes.SET, value: '60000' },
      { name: 'cleanup.policy', configOperation: IncrementalAlterConfigOperationTypes.DELETE },
    ];
    const incidents = { resourceType: ConfigResourceTypes.TOPIC, resourceName: TOPIC.incidents };
    const raw = { resourceType: ConfigResourceTypes.TOPIC, resourceName: TOPIC.raw };
    await admin.incrementalAlterConfigs({ resources: [{ ...raw, configs: configs.slice(0, 1) }] });
    await admin.incrementalAlterConfigs({ resources: [{ ...incidents, configs: configs.slice(1) }] });
    const drift = await plan(admin);
    assert.deepEqual(
      drift.changes.map((change) =>
        change.kind === 'alter-setting' ? [change.topic, change.setting, change.from] : change,
      ),
      [
        [TOPIC.raw, 'retention.ms', '60000'],
        [TOPIC.incidents, 'cleanup.policy', 'delete'],
      ],
    );
    await applyPlan(admin, drift, () => {});
    assert.deepEqual((await plan(admin)).changes, []);
  });

  test('partitions are never added: the difference is reported', async () => {
    const more = await plan(admin, { specs: createTestFleet().specs.map((spec) => ({ ...spec, partitions: 8 })) });
    assert.ok(more.byHand.every(({ setting, to }) => setting === 'partitions' && to === 8));
    assert.deepEqual(more.changes, []);
  });

  for (const role of ROLES) {
    test(`${role}: may write and read exactly the topics in its access list`, async () => {
      const topics = desiredOf(createTestFleet()).topics.map(({ name }) => name);
      const { group } = ACCESS[role];
      const state = topics.filter((name) => group !== null && name.startsWith(`ringfence.state.${group}`));
      const producer = new Producer({ ...clientOf(cluster, role), serializers: stringSerializers });
      const written: string[] = [];
      for (const topic of topics)
        if ((await outcome(producer.send({ messages: [{ topic, key: 'k', value: 'v' }], acks: -1 }))) === 'ok')
          written.push(topic);
      await producer.close(true);
      assert.deepEqual(written.sort(), [...ACCESS[role].writes, ...state].sort());
      const readable: string[] = [];
      for (const topic of topics) if (await canRead(role, topic)) readable.push(topic);
      assert.deepEqual(readable.sort(), [...ACCESS[role].reads, ...state].sort());
    });

    test(`${role}: may not use other groups, create or delete topics, change settings, or read access lists`, async () => {
      const client = new Admin(clientOf(cluster, role));
      const groups: string[] = [];
      for (const group of ['enricher', 'detector', 'responder', 'auditor', 'forwarder', 'detector-joins', 'anything'])
        if ((await outcomeOfGroupRequest(() => client.listConsumerGroupOffsets({ groups: [group] }))) === 'ok')
          groups.push(group);
      const { group } = ACCESS[role];
      assert.deepEqual(groups, group === 'detector' ? ['detector', 'detector-joins'] : group === null ? [] : [group]);
      const configs = [{ name: 'retention.ms', configOperation: IncrementalAlterConfigOperationTypes.SET, value: '1' }];
      const denied = [
        client.createTopics({ topics: ['ringfence.extra'], partitions: 1, replicas: 1 }),
        client.deleteTopics({ topics: [TOPIC.raw] }),
        client.incrementalAlterConfigs({
          resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: TOPIC.raw, configs }],
        }),
        readActual(client, desiredOf(createTestFleet())),
      ];
      for (const answer of await Promise.all(denied.map(outcome))) assert.match(answer, /AUTHORIZATION_FAILED/);
      await client.close();
    });
  }

  /** Only a fetch needs the right to read. It names a topic by id, which the admin client looks up. */
  async function canRead(role: Role, topic: string): Promise<boolean> {
    const { topics } = await admin.metadata({ topics: [topic] });
    const { id = '', partitions = [] } = topics.get(topic) ?? {};
    const consumer = new Consumer({ ...clientOf(cluster, role), groupId: 'none' });
    const partition = {
      partition: 0,
      currentLeaderEpoch: -1,
      fetchOffset: 0n,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 1 << 20,
    };
    const answer = await outcome(
      consumer.fetch({
        node: partitions[0]?.leader ?? 1,
        topics: [{ topicId: id, partitions: [partition] }],
        minBytes: 0,
        maxWaitTime: 100,
      }),
    );
    await consumer.close(true);
    assert.match(answer, /^ok$|TOPIC_AUTHORIZATION_FAILED/);
    return answer === 'ok';
  }
});

test('a plan is applied although another process has created a topic; another number of partitions is an error', {
  skip,
}, async () => {
  const cluster = await sharedKafka();
  const prefix = `twice-${process.pid}.`;
  const admin = new Admin({ clientId: 'admin', bootstrapBrokers: [...cluster.bootstrap] });
  const first = await plan(admin, { prefix });
  const raw = `${prefix}${TOPIC.raw}`;
  await admin.createTopics({
    topics: [raw],
    partitions: createTestFleet().specs.find(({ name }) => name === TOPIC.raw)?.partitions ?? 0,
    replicas: 1,
    configs: [{ name: 'retention.ms', value: '60000' }],
  });
  await Promise.all([applyPlan(admin, first, () => {}), applyPlan(admin, first, () => {})]);
  assert.deepEqual((await plan(admin, { prefix })).changes, []);

  const mismatched = createTestFleet().specs.map((spec) => ({ ...spec, partitions: 7 }));
  const late = planTopics(desiredOf(createTestFleet({ prefix, specs: mismatched })), { topics: [], access: null });
  await assert.rejects(
    applyPlan(admin, late, () => {}),
    { code: 'ERR_BUS_TOPIC_SPEC', message: /was created with \d+ partitions, not 7/ },
  );
  await admin.close();
});

test('without an authorizer, topics are created, and the plan reports that access was not checked', {
  skip,
}, async () => {
  const cluster = await sharedKafka();
  const prefix = `plain-${process.pid}.`;
  const admin = new Admin({ clientId: 'admin', bootstrapBrokers: [...cluster.bootstrap] });
  const first = await plan(admin, { prefix });
  assert.equal(first.accessChecked, false);
  await applyPlan(admin, first, () => {});
  assert.deepEqual(await plan(admin, { prefix }), { changes: [], byHand: [], foreignAccess: [], accessChecked: false });
  await admin.close();
});
