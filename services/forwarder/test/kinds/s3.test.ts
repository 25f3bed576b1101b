import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silentLog } from '@ringfence/base';
import { duckdbMissing, queryDuckdb, type S3Server, s3Missing, startS3 } from '@ringfence/dev-servers';
import { openSink } from '../../src/settings/load.ts';
import type { Item, Sink } from '../../src/sink.ts';
import { alertItem, createContext, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
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
