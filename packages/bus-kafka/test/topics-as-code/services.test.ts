import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BusRefusedError, type TopicSpec } from '@ringfence/bus';
import { type KafkaCluster, kafkaMissing, startKafka } from '@ringfence/dev-servers';
import { createSyntheticHost } from '@ringfence/synthetic';
import {
  ACCESS,
  encodeSigned,
  PLAIN_TOPICS,
  ROLES,
  type Role,
  recordsOf,
  schemaBook,
  TOPIC,
  topicsOf,
  topicsWith,
} from '@ringfence/wire';
import { type KafkaBus, openKafkaBus } from '../../src/bus.ts';
import type { KafkaBusOptions } from '../../src/options.ts';
import { type SchemaBus, withSchemas } from '../../src/registry/schema-bus.ts';
import { applyPlan, readActual } from '../../src/topics-as-code/admin.ts';
import { withAdmin } from '../../src/topics-as-code/connect.ts';
import { desiredOf } from '../../src/topics-as-code/desired.ts';
import { planTopics } from '../../src/topics-as-code/plan.ts';
import { createTestFleet } from './fleet.ts';

const USERS = Object.fromEntries(ROLES.map((role) => [role, role]));

describe('services with the minimal access of their roles', { skip: kafkaMissing() ?? false }, () => {
  let cluster: KafkaCluster;

  const optionsOf = (username: string, password = username): KafkaBusOptions => ({
    brokers: cluster.bootstrap,
    sasl: { mechanism: 'scram-sha-512', username, password },
    produceDeadlineMs: 10_000,
  });

  before(async () => {
    cluster = await startKafka({ security: 'sasl', users: USERS });
    const desired = desiredOf(createTestFleet({ brokers: 1 }));
    await withAdmin(optionsOf('admin', 'admin-secret'), async (admin) =>
      applyPlan(admin, planTopics(desired, await readActual(admin, desired)), () => {}),
    );
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  const specsOf = (role: Role): TopicSpec[] => topicsWith(4).filter(({ name }) => topicsOf([role]).includes(name));

  /** Opens a bus as `ringfence up --only role` does. */
  const serviceBus = async (bus: KafkaBus, role: Role): Promise<SchemaBus> =>
    withSchemas(bus, {
      book: schemaBook(null),
      topic: TOPIC.schemas,
      reads: recordsOf([role], 'reads'),
      writes: recordsOf([role], 'writes'),
      plain: PLAIN_TOPICS,
    });

  test('an agent may write batches, and may not write or read other topics', async () => {
    await using bus = await openKafkaBus(optionsOf('agent'));
    const host = createSyntheticHost();
    host.tick();
    await bus.ensureTopics(specsOf('agent'));
    await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
    for (const topic of [TOPIC.alerts, TOPIC.schemas, TOPIC.commands])
      await assert.rejects(bus.produce([{ topic, key: 'k', value: Buffer.from('x') }]), BusRefusedError);
    await assert.rejects(Array.fromAsync(bus.read({ topic: TOPIC.raw })), BusRefusedError);
  });

  for (const role of ROLES.filter((name) => ACCESS[name].group !== null)) {
    test(`${role}: may publish its schemas, consume, write and commit`, async () => {
      await using kafka = await openKafkaBus(optionsOf(role));
      await kafka.ensureTopics(specsOf(role));
      const bus = await serviceBus(kafka, role);
      const [first] = ACCESS[role].reads;
      const group = ACCESS[role].group as string;
      const result = {
        id: 'c',
        hostId: 'h',
        outcome: 'executed',
        reason: '',
        executable: '/bin/sh',
        at: 1,
        children: 0,
        facts: {},
      } as const;
      const value = encodeSigned('Result', result, null);
      // The role itself may not write to the topic that it reads.
      await using admin = await openKafkaBus(optionsOf('admin', 'admin-secret'));
      await admin.produce([{ topic: first as string, key: 'h', value }]);
      const store = `ringfence.state.${group}`;
      const stateful = role !== 'auditor';
      const consumer = await bus.consumer({
        group,
        topics: [first as string],
        ...(stateful ? { stores: [store] } : {}),
      });
      const records = await consumer.poll();
      const [record] = records;
      assert.ok(record);
      const position = { offset: record.offset, index: 0 };
      const state = stateful
        ? [{ store, partition: record.partition, key: 'k', value: Buffer.from('v'), position }]
        : [];
      const [output] = ACCESS[role].writes;
      await consumer.commit(records, { outputs: [{ topic: output as string, key: 'h', value }], state });
      await consumer.close();
    });
  }

  test('a registrar may write enrolments and read them', async () => {
    await using kafka = await openKafkaBus(optionsOf('registrar'));
    const bus = await serviceBus(kafka, 'registrar');
    await bus.produce([{ topic: TOPIC.enrolments, key: 'h/k', value: Buffer.from('enrolment') }]);
    assert.equal((await Array.fromAsync(bus.read({ topic: TOPIC.enrolments }))).length, 1);
  });

  test('the error for a wrong password names the setting to check', async () => {
    await assert.rejects(
      withAdmin(optionsOf('admin', 'wrong'), (admin) => admin.listTopics()),
      { code: 'ERR_BUS_BROKER_ADMIN', message: /bus\.kafka\.sasl/ },
    );
  });

  test('the error of a service that applies a plan names the missing rights', async () => {
    const desired = desiredOf(createTestFleet({ brokers: 1 }));
    await assert.rejects(
      withAdmin(optionsOf('detector'), (admin) => readActual(admin, desired)),
      { code: 'ERR_BUS_BROKER_ADMIN', message: /describe and alter topics/ },
    );
  });
});
