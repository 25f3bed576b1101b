import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silentLog } from '@ringfence/base';
import { duckdbMissing, queryDuckdb, type S3Server, s3Missing, startS3 } from '@ringfence/dev-servers';
import { createTestCommand, createTestResult } from '@ringfence/synthetic';
import { known } from '../../src/encode/ocsf/common.ts';
import { ocsfEvent } from '../../src/encode/ocsf/index.ts';
import { itemOf } from '../../src/items/read-item.ts';
import { openSink } from '../../src/settings/load.ts';
import type { Item, Sink } from '../../src/sink.ts';
import { alertItem, createContext, incidentItem, operatorItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

const DAY_US = 86_400_000_000;

suite('a bucket of an S3 server that checks signatures', { skip: s3Missing() ?? false, timeout: 240_000 }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
    process.env['RF_TEST_S3_KEY'] = server.accessKey;
    process.env['RF_TEST_S3_SECRET'] = server.secretKey;
    process.env['RF_TEST_S3_WRONG'] = 'wrong-secret';
  });
  after(() => server[Symbol.asyncDispose]());

  const yamlOf = (prefix: string, more = '', secretKey = 'env:RF_TEST_S3_SECRET'): string =>
    `{sink: s, type: s3, url: '${server.url}', region: ${server.region}, prefix: ${prefix}, accessKey: env:RF_TEST_S3_KEY, secretKey: '${secretKey}'${more}}`;
  const objectsBelow = (prefix: string): string[] => server.objects().filter((name) => name.startsWith(`${prefix}/`));
  const documentsOf = (name: string): Record<string, unknown>[] =>
    gunzipSync(readFileSync(join(server.directory, name)))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const idsBelow = (prefix: string): unknown[] =>
    objectsBelow(prefix).flatMap((name) => documentsOf(name).map((document) => document['ringfence.id']));

  test('gets an object for each day, in the layout of Security Lake', async () => {
    const items = [alertItem(1), incidentItem(1), ...HOSTILE.map((text, i) => hostileItem(i + 10, text))];
    const later = alertItem(2, { timestamp: items[0]!.at + DAY_US });
    await sendOnce(yamlOf('ext/days', ', accountId: "123456789012"'), [...items, later]);
    const day = (at: number): string => new Date(at / 1000).toISOString().slice(0, 10).replaceAll('-', '');
    const folder = (at: number): string =>
      `ext/days/region=${server.region}/accountId=123456789012/eventDay=${day(at)}/`;
    const objects = objectsBelow('ext/days');
    assert.equal(new Set(objects).size, new Set([...items, later].map(({ at }) => day(at))).size);
    assert.ok(objects.some((name) => name.startsWith(folder(items[0]!.at))));
    assert.ok(objects.some((name) => name.startsWith(folder(later.at)) && name.endsWith('.ndjson.gz')));
    assert.deepEqual(idsBelow('ext/days').sort(), [...items, later].map(({ id }) => id).sort());
  });

  test('has a batch once, however often it is sent, and overwrites no other batch', async () => {
    const items = Array.from({ length: 30 }, (_, i) => alertItem(i, { timestamp: alertItem(0).at }));
    for (const batch of [items, items, items.slice(0, 20)]) await sendOnce(yamlOf('again'), batch);
    const sizes = objectsBelow('again').map((name) => documentsOf(name).length);
    assert.deepEqual(sizes.sort(), [20, 30]);
  });

  test('is tried again with a wrong key, and the message has the reason of the store', async () => {
    await assert.rejects(sendOnce(yamlOf('wrong', '', 'env:RF_TEST_S3_WRONG'), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /answered 403.*SignatureDoesNotMatch.*lack a right/,
    });
    await assert.rejects(sendOnce(yamlOf('wrong').replace(server.region, 'us-east-1'), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /AuthorizationHeaderMalformed/,
    });
    assert.deepEqual(objectsBelow('wrong'), []);
  });

  test('signs the token of temporary keys', async () => {
    process.env['RF_TEST_S3_TOKEN'] = 'FwoGZXIvYXdzE/token+==';
    await sendOnce(yamlOf('token', ', sessionToken: env:RF_TEST_S3_TOKEN'), [alertItem(1)]);
    assert.equal(objectsBelow('token').length, 1);
  });

  test('misses nothing when the server is killed with -9 in between', async () => {
    const sink: Sink = openSink(sinkOf(yamlOf('chaos', ', timeout: 2s')), silentLog);
    const sent: Item[] = [];
    for (let round = 0; round < 4; round++) {
      const items = Array.from({ length: 50 }, (_, i) => alertItem(1000 + round * 50 + i));
      sent.push(...items);
      if (round === 2) {
        await server.stop('SIGKILL');
        await assert.rejects(sink.send(items, createContext()), { code: 'ERR_SINK_UNAVAILABLE' });
        await server.start();
      }
      await sink.send(items, createContext());
    }
    await sink.close();
    assert.deepEqual(idsBelow('chaos').sort(), sent.map(({ id }) => id).sort());
  });

  test('is read by DuckDB, by the folders of its layout', { skip: duckdbMissing() ?? false }, async () => {
    await sendOnce(yamlOf('duck'), [alertItem(1), incidentItem(1)]);
    const files = `read_json('${server.directory}/duck/**/*.ndjson.gz', hive_partitioning = true)`;
    assert.deepEqual(await queryDuckdb(`select count(*) as n, any_value(region) as region from ${files}`), [
      { n: 2, region: server.region },
    ]);
  });
});

const skipParquet = s3Missing() ?? duckdbMissing() ?? false;

suite('parquet files, read by DuckDB', { skip: skipParquet, timeout: 240_000 }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
    process.env['RF_TEST_PQ_KEY'] = server.accessKey;
    process.env['RF_TEST_PQ_SECRET'] = server.secretKey;
  });
  after(() => server[Symbol.asyncDispose]());

  /** Sends items, and returns the events that DuckDB reads back, without the columns that have no value. */
  async function written(send: string, items: readonly Item[], prefix: string = send): Promise<unknown[]> {
    const keys = 'accessKey: env:RF_TEST_PQ_KEY, secretKey: env:RF_TEST_PQ_SECRET';
    const place = `url: '${server.url}', region: ${server.region}, prefix: ${prefix}`;
    await sendOnce(`{sink: s, type: s3, ${place}, ${keys}, format: parquet, send: [${send}]}`, items);
    const files = `read_parquet('${server.directory}/${prefix}/**/*.parquet', hive_partitioning = false)`;
    const rows = await queryDuckdb(`select * from ${files} order by time, metadata.uid`);
    return rows.map((row) => known(row));
  }

  /** `data` is JSON in a text column. */
  function expected(items: readonly Item[]): unknown[] {
    const events = items.map((item) => ocsfEvent(item) as { time: number; metadata: { uid: string } });
    const wanted = events.toSorted((a, b) => a.time - b.time || (a.metadata.uid < b.metadata.uid ? -1 : 1));
    return JSON.parse(JSON.stringify(wanted), (key, value) => (key === 'data' ? JSON.stringify(value) : value));
  }

  test('have each attribute of each alert, whatever its texts contain', async () => {
    const items = [
      ...Array.from({ length: 5 }, (_, i) => alertItem(i)),
      ...HOSTILE.map((text, i) => hostileItem(i + 10, text)),
    ];
    assert.deepEqual(await written('alerts', items), expected(items));
  });

  test('have each attribute of incidents, of responses and of what operators did', async () => {
    const items = [incidentItem(1), incidentItem(2, { state: 'closed', status: 'closed', verdict: 'true_positive' })];
    assert.deepEqual(await written('incidents', items), expected(items));
    const command = createTestCommand('c'.repeat(32));
    const result = createTestResult(command, { reason: 'why' });
    const responses = [
      itemOf('command', command, { id: `command/${command.id}`, group: command.cause, at: command.issuedAt }),
      itemOf('result', result, { id: `result/${result.id}`, group: result.id, at: result.at }),
    ];
    assert.deepEqual(await written('responses', responses), expected(responses));
    const actions = [operatorItem(1), operatorItem(2, { action: 'token.create', target: '', pid: -1, uid: -1 })];
    assert.deepEqual(await written('operators', actions), expected(actions));
  });

  test('hold null where a sink has put a value of another type', async () => {
    const item = alertItem(1);
    const lineage = [{ entityId: 'e', pid: 'many', executable: '/bin/sh', args: 'sh', user: 'root' }];
    const odd = { ...item, document: { ...item.document, 'ringfence.lineage': lineage } } as Item;
    type Row = { actor: { process: { pid?: number; cmd_line: string } } };
    const [row] = (await written('alerts', [odd], 'odd')) as Row[];
    assert.deepEqual([row?.actor.process.cmd_line, row?.actor.process.pid], ['sh', undefined]);
  });

  test('need one kind of records', () => {
    const settings = `{sink: s, type: s3, url: 'https://b.example', region: r, accessKey: env:A, secretKey: env:B, format: parquet}`;
    assert.throws(() => sinkOf(settings), /format: parquet needs one class of events in a folder/);
  });
});

suite('an S3 store', () => {
  test('that answers 400 says nothing about the records: they are sent again', async () => {
    process.env['RF_TEST_S3_ANY'] = 'any';
    await using receiver = await startReceiver(() => ({ status: 400, body: '<Code>ExpiredToken</Code>' }));
    const yaml = `{sink: s, type: s3, url: '${receiver.url}/b', region: r, accessKey: env:RF_TEST_S3_ANY, secretKey: env:RF_TEST_S3_ANY}`;
    await assert.rejects(sendOnce(yaml, [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /answered 400: <Code>ExpiredToken/,
    });
  });

  test('gets five minutes in one object by default, and its settings in the README are right', () => {
    const [config] = readmeBlocks('s3', 'yaml').map((text) => sinkOf(text));
    assert.deepEqual([config?.common.digest, config?.common.batch], [300_000, 5000]);
    assert.equal(sinkOf(`${readmeBlocks('s3', 'yaml')[0]}\ndigest: 1m\nbatch: 10`).common.digest, 60_000);
  });
});
