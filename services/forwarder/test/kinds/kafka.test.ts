import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import { type KafkaCluster, kafkaMissing, startKafka } from '@ringfence/dev-servers';
import { decode } from '@ringfence/wire';
import { openSink } from '../../src/settings/load.ts';
import type { Item, Sink } from '../../src/sink.ts';
import { alertItem, createContext, incidentItem, sendOnce, sinkOf } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

const DAY_MS = 86_400_000;

suite('a topic of a real Kafka with passwords over TLS', { skip: kafkaMissing() ?? false, timeout: 240_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-kafka-sink-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  let kafka: KafkaCluster;
  let bus: KafkaBus;
  let ca = '';
  before(async () => {
    kafka = await startKafka({ security: 'sasl-tls', users: { stranger: 'stranger-secret' } });
    ca = file('ca.pem', kafka.ca!.certificate);
    bus = await openKafkaBus({
      brokers: kafka.bootstrap,
      tls: { ca },
      sasl: { mechanism: 'plain', username: 'admin', password: 'admin-secret' },
    });
  });
  after(async () => {
    await bus.close();
    await kafka[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const createTopic = (name: string): Promise<void> =>
    bus.ensureTopics([{ name, partitions: 3, retentionMs: DAY_MS, retentionBytes: 2 ** 30, compacted: false }]);
  const yamlOf = (topic: string, more = '', user = 'admin'): string => {
    const password = file(`${user}-password`, `${user}-secret`);
    const login = `sasl: {mechanism: scram-sha-512, username: ${user}, password: 'file:${password}'}`;
    return `{sink: k, type: kafka, brokers: ['${kafka.bootstrap[0]}'], topic: ${topic}, ca: ${ca}, ${login}${more}}`;
  };
  const recordsOf = (topic: string): Promise<InRecord[]> => Array.fromAsync(bus.read({ topic }));
  const documentsOf = async (topic: string): Promise<Record<string, unknown>[]> =>
    (await recordsOf(topic)).map(({ value }) => JSON.parse(Buffer.from(value!).toString()));

  test('gets each record as ECS, keyed by its incident or alert, whatever its texts contain', async () => {
    await createTopic('ecs');
    const items: Item[] = [incidentItem(1), alertItem(1), ...HOSTILE.map((text, i) => hostileItem(i + 10, text))];
    await sendOnce(yamlOf('ecs'), [...items, incidentItem(2)]);
    const records = await recordsOf('ecs');
    assert.deepEqual(
      (await documentsOf('ecs')).map((document) => document['ringfence.id']).sort(),
      [...items, incidentItem(2)].map(({ id }) => id).sort(),
    );
    const incident = incidentItem(1).group;
    const versions = records.filter(({ key }) => key === incident);
    assert.equal(new Set(versions.map(({ partition }) => partition)).size, 1);
    assert.deepEqual(
      versions.map(({ value }) => JSON.parse(Buffer.from(value!).toString())['ringfence.id']),
      [`${incident}/1`, `${incident}/2`],
    );
  });

  test('gets OCSF events, if they are wanted', async () => {
    await createTopic('ocsf');
    await sendOnce(yamlOf('ocsf', ', format: ocsf'), [alertItem(1)]);
    const events = (await documentsOf('ocsf')) as { class_uid?: number; metadata?: { uid: string } }[];
    assert.deepEqual(
      events.map((event) => [event.class_uid, event.metadata?.uid]),
      [[2004, alertItem(1).id]],
    );
  });

  test('gets Avro records that Ringfence reads back', async () => {
    await createTopic('avro');
    const [alert, incident] = [alertItem(1), incidentItem(1)];
    await sendOnce(yamlOf('avro', ', format: avro'), [alert, incident]);
    const values = new Map((await recordsOf('avro')).map(({ key, value }) => [key, value!]));
    const { id, version } = decode('Incident', values.get(incident.group)!);
    assert.equal(`${id}/${version}`, incident.id);
    assert.equal(JSON.stringify(decode('Alert', values.get(alert.group)!).lineage), JSON.stringify(lineageOf(alert)));
  });

  test('is tried again after a wrong password, which is read anew', async () => {
    await createTopic('rotated');
    const sink = openSink(sinkOf(yamlOf('rotated')), silentLog);
    file('admin-password', 'wrong-secret');
    await assert.rejects(sink.send([alertItem(1)], createContext()), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_SINK_UNAVAILABLE');
      assert.match(error.message, /topic rotated: .*[Aa]uthentication failed.*; check the login/s);
      assert.doesNotMatch(error.message, /wrong-secret/);
      return true;
    });
    file('admin-password', 'admin-secret');
    await sink.send([alertItem(1)], createContext());
    await sink.close();
    assert.equal((await recordsOf('rotated')).length, 1);
  });

  test('that is missing, or that the client may not write to, is named', async () => {
    await assert.rejects(sendOnce(yamlOf('missing'), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message:
        'sink k: topic missing does not exist: create it, and allow this client to describe it and to write to it',
    });
    await createTopic('closed');
    await assert.rejects(sendOnce(yamlOf('closed', ', timeout: 5s', 'stranger'), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /topic closed.*(AUTHORIZATION_FAILED|does not exist)/,
    });
  });

  test('refuses a record that is too large, and only that one', async () => {
    await createTopic('large');
    const large = alertItem(1, { output: 'x'.repeat(2 ** 20) });
    await assert.rejects(sendOnce(yamlOf('large'), [large]), {
      code: 'ERR_SINK_REFUSED',
      message: /more than 1048576/,
    });
  });

  test('misses nothing when the broker is killed with -9 in between', async () => {
    await createTopic('chaos');
    const sink: Sink = openSink(sinkOf(yamlOf('chaos', ', timeout: 3s')), silentLog);
    const ids: string[] = [];
    for (let round = 0; round < 4; round++) {
      const items = Array.from({ length: 50 }, (_, i) => alertItem(1000 + round * 50 + i));
      ids.push(...items.map(({ id }) => id));
      if (round === 2) {
        await kafka.brokers[0]!.stop('SIGKILL');
        await assert.rejects(sink.send(items, createContext()), { code: 'ERR_SINK_UNAVAILABLE' });
        await kafka.brokers[0]!.start();
      }
      await sendUntilConfirmed(sink, items);
    }
    await sink.close();
    const found = new Set((await documentsOf('chaos')).map((document) => document['ringfence.id']));
    assert.deepEqual([...found].sort(), ids.sort());
  });
});

const lineageOf = ({ kind, record }: Item): unknown => (kind === 'alert' ? record.lineage : []);

/** A broker that has just started may need more than one attempt. */
async function sendUntilConfirmed(sink: Sink, items: readonly Item[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sink.send(items, createContext());
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

suite('the settings of a Kafka sink', () => {
  const base = 'sink: k\ntype: kafka\ntopic: t\n';
  for (const { what, text, expected } of [
    {
      what: 'no TLS to another host',
      text: 'brokers: [kafka.example:9092]\ntls: false\n',
      expected: /5:6: tls: records/,
    },
    {
      what: 'other fields in Avro',
      text: 'brokers: [kafka.example:9092]\nformat: avro\nfields: {drop: [message]}\n',
      expected: /6:9: fields: a record in Avro/,
    },
    {
      what: 'a login without a password',
      text: 'brokers: [kafka.example:9092]\nsasl: {mechanism: plain, username: a}\n',
      expected: /5:7: sasl: expected username and password/,
    },
  ]) {
    test(`with ${what} are refused with their place`, () => {
      assert.throws(() => sinkOf(base + text), expected);
    });
  }

  test('of the README are right, and loopback needs no TLS', () => {
    assert.deepEqual(
      readmeBlocks('kafka', 'yaml').map((text) => sinkOf(text).kind.type),
      ['kafka'],
    );
    assert.equal(sinkOf(`${base}brokers: ['127.0.0.1:9092']\ntls: false`).settings['tls'], false);
  });
});
