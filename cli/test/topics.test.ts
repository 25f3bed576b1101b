import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type KafkaCluster,
  kafkaMissing,
  type RegistryServer,
  registryMissing,
  startKafka,
  startRegistry,
} from '@ringfence/dev-servers';

const MAIN = join(import.meta.dirname, '../src/main.ts');

/** Settings of whoever runs the tests, and what the test runner says to its tests, are not for the program. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RINGFENCE_')));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function ringfence(...args: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const command = [...process.execArgv.filter((flag) => flag.startsWith('--conditions')), MAIN, ...args];
  execFile(process.execPath, command, { env: environment }, (error, out, err) =>
    resolve({ code: error === null ? 0 : Number(error.code), out, err }),
  );
  return promise;
}

describe('ringfence topics, against real servers', { skip: kafkaMissing() ?? registryMissing() ?? false }, () => {
  let cluster: KafkaCluster;
  let registry: RegistryServer;
  let settings: readonly string[] = [];

  before(async () => {
    [cluster, registry] = await Promise.all([startKafka(), startRegistry()]);
    const values = {
      'bus.driver': 'kafka',
      'bus.kafka.brokers': cluster.bootstrap.join(','),
      'schemaRegistry.url': registry.url,
    };
    settings = Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  test('plan shows what is missing and exits with 2; apply makes it; then plan exits with 0', async () => {
    const first = await ringfence('topics', 'plan', ...settings);
    assert.equal(first.code, 2, first.err);
    assert.match(first.out, /^\+ topic {3}ringfence\.raw {2}12 partitions, 1 replica, delete, kept 6 h$/m);
    assert.match(first.out, /^\+ schema {2}ringfence\.RawBatch$/m);
    assert.match(first.out, /keep no access lists/);
    const applied = await ringfence('topics', 'apply', ...settings);
    assert.equal(applied.code, 0, applied.err);
    assert.match(applied.out, /^\+ topic {3}ringfence\.state\.detector /m);
    const again = await ringfence('topics', 'plan', ...settings);
    assert.deepEqual([again.code, again.out.split('\n').at(-2)], [0, 'Everything is as it should be.']);
  });

  test('drift is told as one JSON object too, with what is left to a person', async () => {
    const drifted = [...settings, '--set', 'topics.raw.retention=1h', '--set', 'bus.kafka.partitions=3'];
    const { code, out, err } = await ringfence('topics', 'plan', '--json', ...drifted);
    assert.equal(code, 2, err);
    const plan = JSON.parse(out) as {
      changes: { setting: string; to: string }[];
      byHand: { setting: string }[];
      schemas: unknown[];
    };
    assert.deepEqual(
      plan.changes.map(({ setting, to }) => [setting, to]),
      [
        ['retention.ms', '3600000'],
        ['segment.ms', '600000'],
      ],
    );
    assert.ok(plan.byHand.length > 5 && plan.byHand.every(({ setting }) => setting === 'partitions'));
    assert.deepEqual(plan.schemas, []);
  });

  test('brokers that are not there: exit code 1, and what to look at', async () => {
    const nobody = ['--set', 'bus.driver=kafka', '--set', 'bus.kafka.brokers=127.0.0.1:1'];
    const { code, out, err } = await ringfence('topics', 'plan', ...nobody);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /127\.0\.0\.1:1: .*ECONNREFUSED.*bus\.kafka\.brokers/);
  });
});

test('on the embedded log no broker is asked: it is told that topics are made without being asked, and where', async () => {
  for (const command of ['plan', 'apply']) {
    const { code, out, err } = await ringfence(
      'topics',
      command,
      '--config',
      '/dev/null',
      '--set',
      'stateDir=/srv/state',
    );
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /bus\.driver is embedded, and ringfence up makes its topics itself, in \/srv\/state\/bus\.db/);
  }
});
