import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { BULK, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';

const O_CREAT_WRONLY = 0o101;
/** entries of the map of socket owners: fewer than the test opens sockets */
const OWNERS = 128;
const SOCKETS = 400;
const LANES = [SECURITY, BULK];

/** Provokes some events of many kinds, in child processes and in this process. */
async function provokeEvents(sensor: TestSensor, scratch: Scratch): Promise<void> {
  const file = `${scratch.path}/file`;
  await sensor.run(scratch.compile('open'), ['openat', file, String(O_CREAT_WRONLY), '300']);
  await sensor.run('sh', [
    '-c',
    `mv ${file} ${file}2; chmod 4755 ${file}2; rm ${file}2; kill -0 999999; unshare -U true`,
  ]);
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await once(connect(port, '127.0.0.1').resume(), 'close');
  server.close();
  const socket = createSocket('udp4');
  for (let n = 0; n < 5; n++) await new Promise((resolve) => socket.send('x', port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => socket.close(resolve));
}

/** Opens sockets that all have an owner at the same time. */
async function bindSockets(): Promise<void> {
  const sockets = Array.from({ length: SOCKETS }, () => createSocket('udp4'));
  for (const socket of sockets) await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
}

describe('event counters on the running kernel', { skip }, () => {
  let scratch: Scratch;
  let sensor: TestSensor;
  before(async () => {
    scratch = new Scratch();
    sensor = await TestSensor.start({ sizes: { rf_owners: OWNERS }, bulkRing: 1 << 20 });
    sensor.control({});
    sensor.watch('/etc/');
    await provokeEvents(sensor, scratch);
    await sensor.run(scratch.compile('change'), ['unlink-fault']);
    await bindSockets();
    // Nothing drains the ring while one process makes more calls than fit into it.
    spawnSync(scratch.compile('open'), ['openat', `${scratch.path}/flood`, String(O_CREAT_WRONLY), '20000']);
    await sensor.finish();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  test('every event was counted once: as sent, or as dropped for one cause', () => {
    const account = sensor.account();
    for (const { lane, kind, seen, sent, drops } of account) {
      const { read_fault: _, ...causes } = drops;
      const out = Object.values(causes).reduce((sum, count) => sum + count, 0);
      assert.equal(seen, sent + out, `${kind} of lane ${lane}: ${JSON.stringify({ sent, ...drops })}`);
    }
    const kinds = new Set(account.map(({ kind }) => kind));
    const provoked = [
      'fork',
      'exec',
      'exit',
      'open',
      'file_change',
      'signal',
      'isolation',
      'connect',
      'accept',
      'datagram',
    ];
    for (const kind of provoked) assert.ok(kinds.has(kind), `no ${kind} among ${[...kinds].join(', ')}`);
  });

  test('the number of events sent equals the number read, and missing sequence numbers are events lost to a full ring', () => {
    for (const lane of LANES) {
      const kinds = sensor.account().filter((account) => account.lane === lane);
      const sent = kinds.reduce((sum, account) => sum + account.sent, 0);
      const full = kinds.reduce((sum, { drops }) => sum + (drops.ring_full ?? 0), 0);
      assert.equal(sensor.records.filter((record) => record.lane === lane).length, sent);
      assert.equal(Number(sensor.counters(lane).sequence), sent + full);
      assert.equal(lane === BULK, full > 0);
    }
  });

  test('helper failures are counted by place and errno, and evictions from full maps by map', () => {
    const failures = new Map(sensor.failures.helpers().map(({ place, errno, count }) => [`${place} ${errno}`, count]));
    assert.ok((failures.get('path_user EFAULT') ?? 0) > 0, [...failures.keys()].join(', '));
    assert.ok((failures.get('ring_bulk EAGAIN') ?? 0) > 0, 'no failure was counted when the ring was full');
    const evictions = new Map(sensor.failures.evictions().map(({ map, entries }) => [map, entries]));
    assert.ok((evictions.get('owners') ?? 0) > SOCKETS / 4);
    assert.equal(evictions.get('exchanges'), undefined);
  });

  test('the numbers of events sent and read are equal for each kind', () => {
    const read = new Map<string, number>();
    for (const { lane, type } of sensor.records) read.set(`${lane} ${type}`, (read.get(`${lane} ${type}`) ?? 0) + 1);
    const sent = sensor.account().filter((account) => account.sent > 0);
    assert.equal(read.size, sent.length);
    const renamed: Readonly<Record<string, string>> = { credentials_change: 'credentials' };
    for (const account of sent) {
      const type = `rf_${renamed[account.kind] ?? account.kind}`;
      assert.equal(read.get(`${account.lane} ${type}`) ?? read.get(`${account.lane} rf_${account.kind}`), account.sent);
    }
  });
});
