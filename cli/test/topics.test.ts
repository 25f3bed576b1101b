import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type KafkaCluster,
  kafkaMissing,
  type RegistryServer,
  registryMissing,
  startKafka,
  startRegistry,
} from '@ringfence/testkit/servers';
import { ringfence } from './support.ts';

describe('topics on real brokers', { skip: kafkaMissing() ?? registryMissing() ?? false }, () => {
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

  test('plan shows missing topics and exits with 2; after apply it exits with 0', async () => {
    const first = await ringfence(['topics', 'plan', ...settings]);
    assert.equal(first.code, 2, first.stderr);
    assert.match(first.stdout, /^\+ topic {3}ringfence\.raw {2}12 partitions, 1 replica, delete, retention 6 h$/m);
    assert.match(first.stdout, /^\+ schema {2}ringfence\.RawBatch$/m);
    assert.match(first.stdout, /have no access lists/);
    const applied = await ringfence(['topics', 'apply', ...settings]);
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /^\+ topic {3}ringfence\.state\.detector /m);
    const again = await ringfence(['topics', 'plan', ...settings]);
    assert.deepEqual([again.code, again.stdout.split('\n').at(-2)], [0, 'Everything is up to date.']);
  });

  test('plan --json lists changed settings, and the changes to make by hand', async () => {
    const drifted = [...settings, '--set', 'topics.raw.retention=1h', '--set', 'bus.kafka.partitions=3'];
    const { code, stdout, stderr } = await ringfence(['topics', 'plan', '--json', ...drifted]);
    assert.equal(code, 2, stderr);
    const plan = JSON.parse(stdout) as {
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

  test('plan without reachable brokers exits with 1 and names the setting', async () => {
    const unreachable = ['--set', 'bus.driver=kafka', '--set', 'bus.kafka.brokers=127.0.0.1:1'];
    const { code, stdout, stderr } = await ringfence(['topics', 'plan', ...unreachable]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /127\.0\.0\.1:1: .*ECONNREFUSED.*bus\.kafka\.brokers/);
  });
});

test('topics on the embedded log is an error that names the file of the topics', async () => {
  for (const command of ['plan', 'apply']) {
    const settings = ['--config', '/dev/null', '--set', 'stateDir=/srv/state'];
    const { code, stdout, stderr } = await ringfence(['topics', command, ...settings]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /bus\.driver is embedded, and ringfence up creates its topics itself in \/srv\/state\/bus\.db/,
    );
  }
});
