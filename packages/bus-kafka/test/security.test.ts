import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BusRefusedError } from '@ringfence/bus';
import { collect, record, text, topic } from '@ringfence/bus/conformance';
import { createTestCa, type TestCa, type TestCertificate } from '@ringfence/testkit';
import { type KafkaCluster, startKafka } from '@ringfence/testkit/servers';
import { openKafkaBus } from '../src/bus.ts';
import type { KafkaBusOptions, KafkaSasl, KafkaTls } from '../src/options.ts';
import { missing } from './fleet.ts';

const CLIENTS = ['platformatic', 'kafkajs'] as const;
/** Far below the timeout of a test, far above the time of an answer. */
const DEADLINE_MS = 8000;

let fleets = 0;

/** Creates a topic, writes, reads, and consumes in a group. */
async function exercise(options: KafkaBusOptions): Promise<void> {
  await using bus = await openKafkaBus({ topicPrefix: `s${fleets++}-`, requestDeadlineMs: DEADLINE_MS, ...options });
  await bus.ensureTopics([topic('t')]);
  await bus.produce([record('t', 'k', 'hello')]);
  assert.deepEqual((await collect(bus.read({ topic: 't' }))).map(text), ['hello']);
  await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
  assert.deepEqual((await consumer.poll()).map(text), ['hello']);
}

/** PEM files of a test, in a temporary directory. */
class Files {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'rf-kafka-'));

  write(name: string, content: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  tls(ca: TestCa, client?: TestCertificate): KafkaTls {
    const trusted = { ca: this.write('ca.pem', ca.certificate) };
    if (client === undefined) return trusted;
    return { ...trusted, cert: this.write('cert.pem', client.certificate), key: this.write('key.pem', client.key) };
  }
}

describe('passwords and tokens', { skip: missing }, () => {
  let kafka: KafkaCluster;
  const files = new Files();
  before(async () => {
    kafka = await startKafka({ security: 'sasl-tls', users: { stranger: 'stranger-secret' } });
  });
  after(async () => {
    await kafka[Symbol.asyncDispose]();
    rmSync(files.directory, { recursive: true });
  });
  const user = (mechanism: KafkaSasl['mechanism'], password = 'admin-secret'): KafkaSasl => ({
    mechanism,
    username: 'admin',
    password,
  });
  const options = (client: (typeof CLIENTS)[number], sasl: KafkaSasl): KafkaBusOptions => ({
    brokers: kafka.bootstrap,
    client,
    tls: files.tls(kafka.ca!),
    sasl,
  });

  for (const client of CLIENTS) {
    test(`${client}: PLAIN, SCRAM and a bearer token from a file are accepted`, async () => {
      await exercise(options(client, user('plain')));
      await exercise(options(client, user('scram-sha-512')));
      const token = files.write('token', `${kafka.tokens.token('admin')}\n`);
      await exercise(options(client, { mechanism: 'oauthbearer', token }));
    });

    for (const mechanism of ['plain', 'scram-sha-512'] as const) {
      test(`${client}: a wrong password for ${mechanism} is refused at once, with the reason of the broker`, async () => {
        await assert.rejects(openKafkaBus(options(client, user(mechanism, 'wrong'))), (error) => {
          assert.ok(error instanceof BusRefusedError, String(error));
          assert.match(error.message, /[Aa]uthentication failed|invalid credentials/);
          assert.ok(!error.message.includes('wrong'), 'the message contains no secret');
          return true;
        });
      });
    }

    test(`${client}: an expired token is refused`, async () => {
      const token = () => kafka.tokens.token('admin', -60);
      await assert.rejects(openKafkaBus(options(client, { mechanism: 'oauthbearer', token })), BusRefusedError);
    });

    test(`${client}: a user who may not create a topic gets an error with the topic and the broker’s reason`, async () => {
      const sasl: KafkaSasl = { mechanism: 'plain', username: 'stranger', password: 'stranger-secret' };
      await using bus = await openKafkaBus(options(client, sasl));
      await assert.rejects(bus.ensureTopics([topic('restricted')]), (error) => {
        assert.ok(error instanceof BusRefusedError, String(error));
        assert.match(error.message, /restricted.*AUTHORIZATION_FAILED|AUTHORIZATION_FAILED.*restricted/);
        return true;
      });
    });
  }
});

describe('certificates', { skip: missing }, () => {
  let kafka: KafkaCluster;
  const files = new Files();
  before(async () => {
    kafka = await startKafka({ security: 'mtls' });
  });
  after(async () => {
    await kafka[Symbol.asyncDispose]();
    rmSync(files.directory, { recursive: true });
  });

  for (const client of CLIENTS) {
    const options = (tls: KafkaTls): KafkaBusOptions => ({
      brokers: kafka.bootstrap,
      client,
      tls,
      requestDeadlineMs: DEADLINE_MS,
    });

    test(`${client}: a certificate of the authority is accepted, and a new one is used without a restart`, async () => {
      const certificate = await kafka.ca!.issue('admin');
      await exercise(options(files.tls(kafka.ca!, certificate)));
      const bus = await openKafkaBus({ ...options(files.tls(kafka.ca!, certificate)), topicPrefix: `r${fleets++}-` });
      await bus.ensureTopics([topic('t')]);
      // The next connection reads the new certificate and its key; the old key does not match it.
      files.tls(kafka.ca!, await kafka.ca!.issue('admin'));
      assert.deepEqual(await collect(bus.read({ topic: 't' })), []);
      await bus.close();
    });

    test(`${client}: an expired certificate, and a missing one, are refused within the deadline, with the reason`, async () => {
      const expired = await kafka.ca!.issueExpired('admin');
      await assert.rejects(openKafkaBus(options(files.tls(kafka.ca!, expired))), (error) => {
        assert.match(String(error), /certificate|alert|SSL/i);
        return true;
      });
      await assert.rejects(openKafkaBus(options(files.tls(kafka.ca!))), /ERR_BUS|certificate|alert|closed/i);
    });

    test(`${client}: a broker with a certificate of another authority is refused`, async () => {
      const otherCa = await createTestCa();
      const certificate = await kafka.ca!.issue('admin');
      await assert.rejects(openKafkaBus(options(files.tls(otherCa, certificate))), (error) => {
        assert.ok(error instanceof BusRefusedError, String(error));
        assert.match(error.message, /certificate|issuer/i);
        return true;
      });
    });
  }
});
