import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  type BaseOptions,
  Producer,
  ResourcePatternTypes,
  ResourceTypes,
  stringSerializers,
} from '@platformatic/kafka';
import { createTestCa, createTokenIssuer } from '@ringfence/dev-servers/in-process';
import { type KafkaCluster, kafkaMissing, startKafka } from '../src/kafka.ts';

/** A client that retries forever must not block the test run. */
const GIVEN = { skip: kafkaMissing() ?? false, timeout: 180_000 };

type Credentials = Pick<BaseOptions, 'sasl' | 'tls'>;

function base(cluster: KafkaCluster, credentials: Credentials): BaseOptions {
  return {
    clientId: 'test',
    bootstrapBrokers: [...cluster.bootstrap],
    retries: 0,
    connectTimeout: 2000,
    ...credentials,
  };
}

async function createTopic(cluster: KafkaCluster, credentials: Credentials): Promise<void> {
  const admin = new Admin(base(cluster, credentials));
  await admin.createTopics({ topics: ['t'] });
  await admin.close();
}

async function send(cluster: KafkaCluster, credentials: Credentials): Promise<void> {
  const producer = new Producer({ ...base(cluster, credentials), serializers: stringSerializers });
  try {
    await producer.send({ messages: [{ topic: 't', key: 'k', value: 'v' }], acks: -1 });
  } finally {
    await producer.close(true);
  }
}

async function allow(cluster: KafkaCluster, credentials: Credentials, user: string): Promise<void> {
  const admin = new Admin(base(cluster, credentials));
  const acl = {
    resourceType: ResourceTypes.TOPIC,
    resourceName: 't',
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
  };
  const entry = { ...acl, operation: AclOperations.WRITE };
  await admin.createAcls({ creations: [entry] });
  // The controller has accepted the ACL; the broker applies it a moment later.
  while ((await admin.describeAcls({ filter: entry })).length === 0) await sleep(20);
  await admin.close();
}

/** Returns all messages of a client's error and its causes. */
function messagesOf(error: unknown): string {
  const causes = error instanceof AggregateError ? error.errors : [];
  const cause = error instanceof Error ? error.cause : undefined;
  return [String(error), ...causes.map(messagesOf), ...(cause === undefined ? [] : [messagesOf(cause)])].join('\n');
}

function refused(work: Promise<void>, why: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.match(messagesOf(error), why);
    return true;
  });
}

describe('a Kafka with SASL over TLS', GIVEN, () => {
  let cluster: KafkaCluster;
  const as = (sasl: NonNullable<BaseOptions['sasl']>): Credentials => ({ sasl, tls: { ca: cluster.ca!.certificate } });
  before(async () => {
    cluster = await startKafka({ security: 'sasl-tls', users: { writer: 'w', reader: 'r' } });
    const admin = as({ mechanism: 'SCRAM-SHA-512', username: 'admin', password: cluster.users['admin']! });
    await createTopic(cluster, admin);
    await allow(cluster, admin, 'writer');
  });
  after(() => cluster[Symbol.asyncDispose]());

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-512'] as const) {
    test(`accepts a password by ${mechanism}, and allows a user only actions of an ACL`, async () => {
      await send(cluster, as({ mechanism, username: 'writer', password: 'w' }));
      await refused(send(cluster, as({ mechanism, username: 'writer', password: 'x' })), /authentication/i);
      await refused(send(cluster, as({ mechanism, username: 'reader', password: 'r' })), /authoriz/i);
    });
  }

  test('accepts valid tokens of its issuer only', async () => {
    const by = (token: string) => send(cluster, as({ mechanism: 'OAUTHBEARER', token }));
    await by(cluster.tokens.token('writer'));
    await refused(by(cluster.tokens.token('reader')), /authoriz/i);
    // This client ignores the broker's response to a token; the next request then fails.
    await refused(by(cluster.tokens.token('writer', -120)), /SASL state/i);
    await refused(by(createTokenIssuer().token('writer')), /SASL state/i);
  });
});

describe('a Kafka with client certificates', GIVEN, () => {
  let cluster: KafkaCluster;
  const as = async (name: string, issue: 'issue' | 'issueExpired' = 'issue'): Promise<Credentials> => {
    const { certificate, key } = await cluster.ca![issue](name);
    return { tls: { ca: cluster.ca!.certificate, cert: certificate, key } };
  };
  before(async () => {
    cluster = await startKafka({ security: 'mtls' });
    await createTopic(cluster, await as('admin'));
    await allow(cluster, await as('admin'), 'writer');
  });
  after(() => cluster[Symbol.asyncDispose]());

  test('identifies a client by the common name of its certificate', async () => {
    await send(cluster, await as('writer'));
    await refused(send(cluster, await as('reader')), /authoriz/i);
  });

  test('rejects a client with an expired certificate, a certificate of another authority, or none', async () => {
    const ca = cluster.ca!.certificate;
    const stranger = await (await createTestCa()).issue('writer');
    const refusal = /alert|ECONNRESET|closed|EPIPE|socket/i;
    await refused(send(cluster, await as('writer', 'issueExpired')), refusal);
    await refused(send(cluster, { tls: { ca, cert: stranger.certificate, key: stranger.key } }), refusal);
    await refused(send(cluster, { tls: { ca } }), refusal);
  });
});
