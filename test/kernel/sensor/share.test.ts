import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { BULK, Group, Scratch, SECURITY, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const RING = 1 << 20;
const BURST = 100n;
/** ns per record. So long that no cgroup regains its share during the tests. */
const INTERVAL = 1_000_000_000_000n;
const OPEN = 5;
/** RF_DROP_THROTTLED */
const THROTTLED = 7;
/** opens of some 150 bytes each, which exceed the ring several times */
const FLOOD = 20_000;
const STORM = 400;

describe('shares of the rings on the running kernel', { skip }, () => {
  let scratch: Scratch;
  let sensor: TestSensor;
  let flood: string;
  let secret: string;
  before(async () => {
    scratch = new Scratch();
    flood = scratch.compile('flood');
    secret = `${scratch.path}/watched/secret`;
    mkdirSync(`${scratch.path}/watched`);
    writeFileSync(secret, '');
    sensor = await TestSensor.start({ bulkRing: RING });
    sensor.watch(`${scratch.path}/watched/`);
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const limit = (from: [number, number]): void =>
    sensor.control({ share_interval: INTERVAL, share_burst: INTERVAL * BURST, share_from: from });
  const throttled = (cgroup: bigint, kind: number): number =>
    Number(sensor.object.map('rf_throttled').get({ cgroup, lane: BULK, kind, cause: THROTTLED }) ?? 0n);
  const recordsIn = (cgroup: bigint, type: string): SensorRecord[] =>
    sensor.records.filter((record) => record.header.cgroup === cgroup && record.type === type);
  const paths = (records: readonly SensorRecord[]): string[] =>
    records.map(({ texts }) => String(texts['path']?.bytes));
  const attack = (mark: string): string[] => [
    '/bin/sh',
    '-c',
    `cat ${secret}; echo x > ${scratch.path}/watched/${mark}; chmod 4755 ${scratch.path}/watched/${mark}; echo x > ${scratch.path}/plain-${mark}`,
  ];

  /** Asserts that the events of an attack arrived, whatever else happened in the cgroup. */
  function assertSeen({ id }: Group, mark: string): void {
    assert.ok(recordsIn(id, 'rf_exec').length >= 3, 'sh, cat and chmod');
    const opened = paths(recordsIn(id, 'rf_open'));
    assert.ok(opened.includes(`${scratch.path}/watched/${mark}`), 'the write to a watched file');
    assert.ok(opened.includes(secret), 'the read of a watched file');
    const changed = recordsIn(id, 'rf_file_change').some(({ fields }) => fields['mode'] === 0o4755);
    assert.ok(changed, 'the set-id bit');
  }

  test('a flood fills half of a ring, and an attack in another cgroup is reported completely', async () => {
    await using noisy = new Group();
    await using quiet = new Group();
    limit([0, RING / 2]);
    sensor.drain();
    const full = sensor.counters(BULK).ring_full;
    const path = `${scratch.path}/flood`;
    await noisy.run(flood, 'opens', path, String(FLOOD));
    await quiet.run(...attack('other'));
    sensor.drain();
    assert.equal(sensor.counters(BULK).ring_full, full);
    const sent = paths(recordsIn(noisy.id, 'rf_open')).filter((candidate) => candidate === path).length;
    assert.ok(sent > 1000 && sent < FLOOD / 2, `${sent}`);
    assert.equal(sent + throttled(noisy.id, OPEN), FLOOD);
    assertSeen(quiet, 'other');
    assert.ok(
      paths(recordsIn(quiet.id, 'rf_open')).includes(`${scratch.path}/plain-other`),
      'the other cgroup has its own share',
    );
    assert.equal(throttled(quiet.id, OPEN), 0);
  });

  test('an attack in the same cgroup as the flood is reported, except for paths that no rule watches', async () => {
    await using noisy = new Group();
    limit([0, RING / 2]);
    sensor.drain();
    await noisy.run(flood, 'opens', `${scratch.path}/flood`, String(FLOOD));
    await noisy.run(...attack('same'));
    sensor.drain();
    assertSeen(noisy, 'same');
    assert.ok(!paths(recordsIn(noisy.id, 'rf_open')).includes(`${scratch.path}/plain-same`));
  });

  test('an attack by the flooding process is reported', async () => {
    await using noisy = new Group();
    limit([0, RING / 2]);
    sensor.drain();
    await noisy.run(flood, 'opens', `${scratch.path}/flood`, String(FLOOD), ...attack('tree'));
    sensor.drain();
    assertSeen(noisy, 'tree');
  });

  test('reads of a watched file over the share are merged and counted', async () => {
    await using noisy = new Group();
    limit([0, 1]);
    sensor.drain();
    const reads = `i=0; while [ $i -lt 300 ]; do read x < ${secret}; i=$((i+1)); done; sleep 1.1; read x < ${secret}`;
    await noisy.run('/bin/sh', '-c', reads);
    sensor.drain();
    const read = recordsIn(noisy.id, 'rf_open').filter((record) => paths([record])[0] === secret);
    assert.ok(read.length < 300);
    assert.equal(sumOf(read), 301);
  });

  test('a burst of forks is merged by parent, and every exit is reported', async () => {
    await using noisy = new Group();
    limit([1, 0]);
    sensor.drain();
    const parent = await noisy.run(flood, 'forks', '-', String(STORM));
    sensor.drain();
    const forks = recordsIn(noisy.id, 'rf_fork').filter(({ fields }) => fields['parent_tgid'] === parent);
    assert.ok(forks.length < STORM / 2, `${forks.length}`);
    assert.equal(sumOf(forks), STORM + 1);
    assert.equal(recordsIn(noisy.id, 'rf_exit').length, STORM + 2);
  });

  test('a burst of connects is merged by process and port', async () => {
    await using noisy = new Group();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    limit([1, 0]);
    sensor.drain();
    await noisy.run(flood, 'connects', String(port), String(STORM));
    sensor.drain();
    const connects = recordsIn(noisy.id, 'rf_connect').filter(({ fields }) => fields['port'] === port);
    assert.ok(connects.length < STORM / 2, `${connects.length}`);
    assert.equal(sumOf(connects), STORM + 1);
  });

  test('a burst of failed execs is merged by process, call and error, whatever their paths', async () => {
    await using noisy = new Group();
    limit([1, 0]);
    sensor.drain();
    const paths = Array.from({ length: STORM }, (_, n) => `/nowhere/${n}`);
    const process = await noisy.run(scratch.compile('attempt'), 'exec', ...paths, '', '/nowhere/last');
    sensor.drain();
    const failed = recordsIn(noisy.id, 'rf_attempt').filter(({ header }) => header.tgid === process);
    assert.ok(failed.length < STORM / 2, `${failed.length}`);
    assert.equal(sumOf(failed), STORM + 1);
  });

  test('no cgroup is throttled while the reader keeps up', async () => {
    await using busy = new Group();
    limit([RING / 2, RING / 2]);
    for (let n = 0; n < 5; n++) {
      sensor.drain();
      await busy.run(flood, 'opens', `${scratch.path}/busy`, '500');
    }
    sensor.drain();
    assert.equal(paths(recordsIn(busy.id, 'rf_open')).filter((path) => path.endsWith('/busy')).length, 2500);
    assert.equal(throttled(busy.id, OPEN), 0);
  });

  test('throttled and merged events are counted, and the counts add up', async () => {
    await sensor.finish();
    for (const { lane, kind, seen, sent, drops } of sensor.account()) {
      const { read_fault: _, ...causes } = drops;
      const out = Object.values(causes).reduce((sum, count) => sum + count, 0);
      assert.equal(seen, sent + out, `${kind} of lane ${lane}`);
    }
    const drops = (lane: number, kind: string) =>
      sensor.account().find((account) => account.lane === lane && account.kind === kind)?.drops ?? {};
    assert.ok((drops(BULK, 'open').throttled ?? 0) > FLOOD);
    assert.ok((drops(SECURITY, 'fork').merged ?? 0) > STORM / 2);
    assert.ok((drops(SECURITY, 'connect').merged ?? 0) > STORM / 2);
  });
});

const sumOf = (records: readonly SensorRecord[]): number =>
  records.reduce((sum, { fields }) => sum + Number(fields['count']), 0);
