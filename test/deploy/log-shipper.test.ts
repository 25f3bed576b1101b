/** An OpenTelemetry collector as a shipper, in place of Filebeat: file → Kafka → enricher and Logstash. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import {
  collectorMissing,
  grokMissing,
  kafkaMissing,
  sharedKafka,
  startGrok,
  startLogShipper,
} from '@ringfence/dev-servers';
import { createEnricherPipeline } from '@ringfence/enricher';
import { consumerRecords } from '@ringfence/synthetic';
import { decode, type Log, TOPIC, topicsWith } from '@ringfence/wire';
import { parsePipeline } from './lib/logstash-file.ts';
import { get, runFilters } from './lib/logstash-filters.ts';

const LOGSTASH = join(import.meta.dirname, '../../deploy/logstash');
const HOST = 'web-1';
const LINE = 'Nov 25 15:55:07 web-1 sshd[812]: Failed password for root from 203.0.113.9 port 40122 ssh2';

async function recordsOf(bus: KafkaBus, count: number): Promise<{ readonly key: string; readonly value: Buffer }[]> {
  for (;;) {
    const records: { readonly key: string; readonly value: Buffer }[] = [];
    for await (const { key, value } of bus.read({ topic: TOPIC.logsRaw }))
      records.push({ key, value: Buffer.from(value ?? []) });
    if (records.length >= count) return records;
    await sleep(200);
  }
}

test('lines of a shipper become events of the enricher, and documents by the filters of Logstash', {
  skip: collectorMissing() ?? kafkaMissing() ?? grokMissing() ?? false,
}, async () => {
  await using temporary = await mkdtempDisposable(join(tmpdir(), 'rf-shipper-'));
  const file = join(temporary.path, 'auth.log');
  writeFileSync(file, `${LINE}\n`);
  const { bootstrap: brokers } = await sharedKafka();
  const topicPrefix = `shipper-${process.pid}-`;
  await using bus = await openKafkaBus({ brokers, topicPrefix });
  await bus.ensureTopics(topicsWith(1).filter(({ name }) => name === TOPIC.logsRaw));
  const fields = { log_type: 'syslog', 'service.name': 'system' };
  await using _ = await startLogShipper({ file, brokers, topic: topicPrefix + TOPIC.logsRaw, hostId: HOST, fields });
  await recordsOf(bus, 1);
  appendFileSync(file, `${LINE.replace('root', 'admin')}\n`);
  const records = await recordsOf(bus, 2);
  assert.deepEqual(
    records.map(({ key }) => key),
    [HOST, HOST],
  );

  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => undefined }, options: {} });
  const values = records.map(({ value }) => value);
  const { outputs } = enricher.handle(consumerRecords(HOST, values, TOPIC.logsRaw));
  const logs = outputs
    .flatMap(({ value }) => decode('EventBatch', Buffer.from(value ?? [])).events)
    .map(({ event }) => (event.body as { readonly 'ringfence.Log': Log })['ringfence.Log']);
  assert.deepEqual(
    logs.map(({ origin, path, offset, action, targetUser, user }) => [
      origin,
      path,
      offset,
      action,
      targetUser || user,
    ]),
    [
      ['filebeat', file, 0, 'ssh-login', 'root'],
      ['filebeat', file, LINE.length + 1, 'ssh-login', 'admin'],
    ],
  );

  await using grok = await startGrok(join(LOGSTASH, 'patterns'));
  const filters = parsePipeline(readFileSync(join(LOGSTASH, 'logs-raw.conf'), 'utf8')).get('filter') ?? [];
  const documents = await Promise.all(
    values.map((value) =>
      runFilters(filters, { message: value.toString(), '@metadata': { kafka: { key: HOST } } }, grok),
    ),
  );
  const shown = ['[host][id]', '[data_stream][dataset]', '[user][name]', '[event][outcome]', '[log][offset]'];
  assert.deepEqual(
    documents.flat().map((document) => shown.map((field) => get(document, field))),
    [
      [HOST, 'system', 'root', 'failure', 0],
      [HOST, 'system', 'admin', 'failure', LINE.length + 1],
    ],
  );
});
