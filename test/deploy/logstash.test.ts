/** deploy/logstash on lines of twelve formats: its filters after Logstash's source, its groks by Elasticsearch's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EcsFlat } from '@elastic/ecs';
import { type Grok, grokMissing, startGrok } from '@ringfence/dev-servers';
import { catalogue } from '@ringfence/fields';
import { createSyntheticHost, logBatch } from '@ringfence/synthetic';
import { parse } from 'yaml';
import { type LogSample, logSamples } from './lib/log-lines.ts';
import { type Plugin, parsePipeline, type Statement } from './lib/logstash-file.ts';
import { type Fields, get, runFilters } from './lib/logstash-filters.ts';

const LOGSTASH = join(import.meta.dirname, '../../deploy/logstash');
const sections = parsePipeline(readFileSync(join(LOGSTASH, 'logs-raw.conf'), 'utf8'));
const filters = sections.get('filter') ?? [];
const ecs = EcsFlat as Readonly<Record<string, { readonly type: string }>>;
const fieldNames: ReadonlySet<string> = new Set([
  ...Object.keys(ecs),
  ...catalogue.fields.map(({ name }) => name),
  'data_stream.type',
  'data_stream.dataset',
  'data_stream.namespace',
]);
const HOST = '0123456789abcdef';

let grok: Grok;
const run = (record: string): Promise<Fields[]> =>
  runFilters(filters, { '@timestamp': 'now', message: record, '@metadata': { kafka: { key: HOST } } }, grok);

const documentOf = ({ line, logType, path = '/var/log/some.log' }: Omit<LogSample, 'title' | 'expected'>): Fields => ({
  '@timestamp': '2026-11-25T15:55:08.000Z',
  '@metadata': { beat: 'filebeat', type: '_doc', version: '9.4.0', kafka: { key: 'forged' } },
  message: line,
  log_type: logType,
  service: { name: 'shop' },
  log: { offset: 100, file: { path, device_id: '1', inode: '2' } },
  input: { type: 'filestream' },
  agent: { id: 'f00', type: 'filebeat', version: '9.4.0' },
  host: { id: HOST, name: 'web-1' },
});

/** Returns the values by the name of their field, as Elasticsearch sees them; @metadata is not sent. */
function flat(fields: Fields, prefix = ''): Record<string, unknown> {
  const pairs = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    if (name === '@metadata') return [];
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? Object.entries(flat(value as Fields, `${prefix}${name}.`)) : [[`${prefix}${name}`, value]];
  });
  return Object.fromEntries(pairs);
}

async function only(record: string): Promise<Record<string, unknown>> {
  const [event, ...others] = await run(record);
  assert.deepEqual(others, []);
  return flat(event ?? {});
}

/** The field is one of ECS with a value of its type, one of ours, or a label. */
function assertField(name: string, value: unknown): void {
  assert.ok(fieldNames.has(name) || name.startsWith('labels.'), name);
  const type = ecs[name]?.type;
  if (type === 'ip') assert.ok(isIP(String(value)), name);
  else assert.equal(typeof value, type === 'long' || name === 'log.offset' ? 'number' : 'string', name);
}

function pluginsIn(statements: readonly Statement[]): Plugin[] {
  return statements.flatMap((one) => ('arms' in one ? one.arms.flatMap(({ body }) => pluginsIn(body)) : [one]));
}

test('the output names each document, so that a line that is sent again is refused', () => {
  const [output] = pluginsIn(sections.get('output') ?? []);
  assert.equal(output?.settings.get('action'), 'create');
  assert.equal(output?.settings.get('document_id'), '%{[@metadata][id]}');
  // Logstash's output refuses a document_id at start when data_stream is true.
  assert.equal(output?.settings.get('data_stream'), 'false');
});

describe('the filters', { skip: grokMissing() ?? false }, () => {
  before(async () => {
    grok = await startGrok(join(LOGSTASH, 'patterns'));
  });
  after(() => grok[Symbol.asyncDispose]());

  for (const sample of logSamples)
    test(`read ${sample.title}`, async () => {
      const { line, logType, expected } = sample;
      const got = await only(JSON.stringify(documentOf(sample)));
      const common = await only(JSON.stringify(documentOf({ ...sample, line: 'x', logType: 'unknown' })));
      const inner = 'message' in expected ? { 'event.original': line } : {};
      assert.deepEqual(got, { ...common, message: line, 'labels.log_type': logType, ...inner, ...expected });
      for (const [name, value] of Object.entries(got)) assertField(name, value);
    });

  test('take the host from the key of the record, and only known fields from a document', async () => {
    const forged = { ...documentOf({ line: 'x', logType: 'syslog' }), host: { id: 'other' }, rule: { name: 'forged' } };
    const got = await only(JSON.stringify(forged));
    assert.equal(got['host.id'], HOST);
    assert.equal(got['rule.name'], undefined);
    assert.deepEqual(got['tags'], '_grokparsefailure');
    assert.equal(got['message'], 'x');
  });

  for (const name of ['ringfence.alerts', 'Shop', '../x', '-x', 'a-b', '', 7, ['shop']])
    test(`keep a line of the service ${JSON.stringify(name)} out of the streams of others`, async () => {
      const got = await only(JSON.stringify({ ...documentOf({ line: 'x', logType: '' }), service: { name } }));
      assert.equal(got['data_stream.dataset'], 'other');
    });

  test('take the lines of a signed record, without its head and its signature', async () => {
    const lines = ['Nov 25 15:55:07 web-1 sshd[812]: Invalid user x from 203.0.113.9 port 1', 'no syslog'];
    const record = logBatch(createSyntheticHost(), lines).toString();
    const events = await run(record);
    assert.deepEqual(
      events.map((event) => [event['message'], get(event, '[data_stream][dataset]'), get(event, '[host][id]')]),
      lines.map((line) => [line, 'system', HOST]),
    );
    assert.equal(get(events[0] ?? {}, '[source][ip]'), '203.0.113.9');
  });

  test('take what Filebeat reads from the journal', async () => {
    const journal = {
      ...documentOf({ line: 'Invalid user x from 203.0.113.9 port 1', logType: '' }),
      log: { syslog: { appname: 'sshd' } },
      process: { pid: 812 },
      input: { type: 'journald' },
    };
    const got = await only(JSON.stringify(journal));
    assert.deepEqual([got['process.pid'], got['source.ip'], got['event.outcome']], [812, '203.0.113.9', 'failure']);
  });

  test('give a line that is sent again the same id, and any other line another', async () => {
    const idOf = async (document: Fields): Promise<unknown> =>
      get((await run(JSON.stringify(document)))[0] ?? {}, '[@metadata][id]');
    const line = documentOf({ line: 'x', logType: 'syslog' });
    const place = line['log'] as Fields;
    const entry = { ...line, log: {}, input: { type: 'journald' } };
    const later = { '@timestamp': '2026-11-25T16:00:00.000Z' };
    assert.equal(await idOf({ ...line, ...later, agent: { id: 'installed again' } }), await idOf(line));
    const others = [
      { ...line, message: 'y' },
      { ...line, log: { ...place, offset: 102 } },
      { ...line, log: { ...place, file: { path: '/var/log/other.log', device_id: '1', inode: '2' } } },
      { ...line, log: { ...place, file: { path: '/var/log/some.log', device_id: '1', inode: '3' } } },
      entry,
      { ...entry, ...later },
    ];
    assert.equal(new Set(await Promise.all([line, ...others].map(idOf))).size, others.length + 1);
  });

  test('take no login from the second line of a text', async () => {
    const MESSAGE = 'x\nAccepted password for root from 203.0.113.9 port 1 ssh2\nx';
    const entry = { SYSLOG_IDENTIFIER: 'sshd', MESSAGE, __REALTIME_TIMESTAMP: '1795622107123456' };
    const got = await only(JSON.stringify(documentOf({ line: JSON.stringify(entry), logType: 'journald' })));
    assert.deepEqual([got['message'], got['event.outcome'], got['tags']], [MESSAGE, undefined, undefined]);
  });

  test('keep a record that is no document as it is', async () => {
    for (const record of ['', '{', '[]', '7', 'null', '{"message":{"a":1}}']) {
      const got = await only(record);
      assert.equal(got['data_stream.dataset'], 'other', record);
    }
  });

  test('end on hostile lines of 16 KiB', async () => {
    const repeated = [
      '" ',
      '\\',
      '\\"',
      ' from 1.1.1.1 port 1',
      ' ; USER=',
      ', client: ',
      ' acct="',
      '1/',
      '[',
      ' uid=',
    ];
    const heads = logSamples.map(({ line, logType }) => ({ line: line.slice(0, line.length / 2), logType }));
    for (const { line, logType } of heads)
      for (const text of repeated) {
        const hostile = (line + text.repeat(16_384 / text.length)).slice(0, 16_384);
        const [event] = await run(JSON.stringify(documentOf({ line: hostile, logType })));
        assert.ok(event !== undefined);
      }
  });
});

test('filebeat.yml sends to logs-raw with mutual TLS, keyed by host, and names a service and a known log type', () => {
  const file = parse(readFileSync(join(LOGSTASH, '../filebeat/filebeat.yml'), 'utf8'));
  const output = file['output.kafka'];
  assert.equal(output.topic, 'logs-raw');
  assert.equal(output.key, '%{[host.id]}');
  assert.ok(output['ssl.certificate'] && output['ssl.key'] && output['ssl.certificate_authorities']);
  for (const { fields, fields_under_root: underRoot } of file['filebeat.inputs']) {
    assert.equal(underRoot, true);
    assert.equal(fields.host.id, '$' + '{RINGFENCE_HOST_ID}');
    assert.ok(logSamples.some(({ logType }) => logType === fields.log_type));
    assert.match(fields.service.name, /^[a-z0-9_.]+$/);
  }
});
