import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { constants, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  BULK,
  callerUnlessFull,
  recordOf,
  recordsOf,
  Scratch,
  type SensorRecord,
  seesUnixSent,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const { AF_UNIX } = records.AddressFamily;
const { ENOENT, EACCES, ECONNREFUSED, ENETUNREACH, EMSGSIZE } = constants.errno;
const INET = 2;
const INET6 = 10;
const UDP = 17;
/** Error of a broadcast without SO_BROADCAST. A machine without a network has no route for it. */
const REFUSED = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal))
  ? -EACCES
  : -ENETUNREACH;
const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
const localhost6 = new Uint8Array(16).fill(1, 15);
const none = new Uint8Array(16);
const broadcast = Uint8Array.from([255, 255, 255, 255, ...new Array<number>(12).fill(0)]);

describe('datagrams on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let datagram: string;
  before(async () => {
    scratch = new Scratch();
    datagram = scratch.compile('datagram');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Returns the fields that all records have in common, and the counts of each record. */
  function splitCounts(records: readonly SensorRecord[]): { common: object; counts: object[] } {
    const counts = records.map(({ fields: { sent, received, count } }) => ({ sent, received, count }));
    const [common, ...following] = records.map(({ fields: { sent: _, received: __, count: ___, ...rest } }) => rest);
    for (const fields of following) assert.deepEqual(fields, common);
    return { common: common ?? {}, counts };
  }

  for (const [kind, how, family, address] of [
    ['udp4', 'sendto', INET, localhost4],
    ['udp4', 'sendmsg', INET, localhost4],
    ['udp4', 'connected', INET, localhost4],
    ['udp6', 'sendto', INET6, localhost6],
  ] as const) {
    test(`${kind}, ${how}: both ends report the first datagram at once, and the remaining ones when the socket is closed`, async () => {
      const seen = await sensor.run(datagram, [kind, how, '5', '100']);
      const records = recordsOf(seen, 'rf_datagram');
      const server = recordOf(
        seen.filter(({ fields }) => fields['operation'] === 2),
        'rf_socket',
      );
      for (const { lane, texts } of records) {
        assert.equal(lane, BULK);
        assert.equal(texts['path']?.length, 0);
      }
      const client = splitCounts(records.filter(({ header }) => header.tgid !== server.header.tgid));
      const serverSide = splitCounts(records.filter(({ header }) => header.tgid === server.header.tgid));
      const common = { family, protocol: UDP, address, local_address: address, result: 0, source_caller: 0 };
      const port = server.fields['port'];
      const from = (serverSide.common as { port: number }).port;
      assert.deepEqual(client.common, { ...common, incoming: 0, port, local_port: from });
      assert.deepEqual(serverSide.common, { ...common, incoming: 1, port: from, local_port: port });
      assert.deepEqual(client.counts, [
        { sent: 100n, received: 0n, count: 1 },
        { sent: 400n, received: 5n, count: 9 },
      ]);
      assert.deepEqual(serverSide.counts, [
        { sent: 0n, received: 100n, count: 1 },
        { sent: 5n, received: 400n, count: 9 },
      ]);
    });
  }

  test('each peer of one socket is reported at once, and the remaining datagrams when the socket is closed', async () => {
    const records = recordsOf(await sensor.run(datagram, ['udp4', 'many', '40']), 'rf_datagram').filter(
      ({ fields }) => fields['result'] === 0,
    );
    const byPort = Map.groupBy(records, ({ fields }) => fields['port']);
    assert.equal(byPort.size, 40);
    for (const [port, perPeer] of byPort) {
      const size = BigInt(port as number);
      assert.deepEqual(
        perPeer.map(({ fields }) => [fields['sent'], fields['count']]),
        [
          [size, 1],
          [size, 1],
        ],
      );
    }
  });

  for (const [kind, how, family, address, result] of [
    ['udp4', 'sendto', INET, broadcast, REFUSED],
    ['udp4', 'sendmsg', INET, broadcast, REFUSED],
    ['udp4', 'sendmmsg', INET, broadcast, REFUSED],
    ['udp6', 'sendto', INET6, localhost6, -EMSGSIZE],
  ] as const) {
    test(`a datagram that is not sent (${kind}, ${how}) is reported with the caller's address, marked as such`, async () => {
      const {
        local_address: _,
        local_port: __,
        ...fields
      } = recordOf(await sensor.run(datagram, [kind, how, 'denied']), 'rf_datagram').fields;
      const none = { sent: 0n, received: 0n, count: 1, incoming: 0 };
      assert.deepEqual(fields, { ...none, family, protocol: UDP, address, port: 9, result, source_caller: 1 });
    });
  }

  const unix = {
    received: 0n,
    family: AF_UNIX,
    protocol: 0,
    port: 0,
    local_port: 0,
    address: none,
    local_address: none,
  };

  /** Returns the fields and the path of each record of datagrams to a unix socket. */
  async function sendToUnix(...args: string[]): Promise<{ fields: object; path: string | undefined }[]> {
    const datagrams = recordsOf(await sensor.run(datagram, args), 'rf_datagram');
    return datagrams.map(({ fields, texts }) => ({ fields, path: texts['path']?.bytes.toString() }));
  }

  for (const how of ['sendto', 'sendmsg', 'sendmmsg'] as const)
    test(`a datagram to a unix socket (${how}) is reported with the caller's name, marked as such`, async () => {
      const name = join(scratch.path, how);
      const source_caller = await callerUnlessFull();
      const fields = { ...unix, sent: 100n, result: 0, count: 1, incoming: 0, source_caller };
      assert.deepEqual(await sendToUnix('unix', how, '1', '100', name), [{ fields, path: name }]);
      const hidden = `rf-test-${process.pid}-${how}`;
      assert.deepEqual(await sendToUnix('abstract', how, '1', '100', hidden), [{ fields, path: `\0${hidden}` }]);
    });

  test('each datagram of a sendmmsg call is reported, with its name', async () => {
    const name = join(scratch.path, 'several');
    const source_caller = (await seesUnixSent()) ? 0 : 1;
    const fields = { ...unix, result: 0, count: 1, incoming: 0, source_caller };
    assert.deepEqual(
      await sendToUnix('unix', 'several', '3', '5', name),
      [0, 1, 2].map((number) => ({ fields: { ...fields, sent: BigInt(5 + number) }, path: `${name}.${number}` })),
    );
  });

  for (const count of [2, 3])
    test(`of ${count} datagrams, the ones before a missing name are reported, and the last as well if the kernel function is hooked`, async () => {
      const name = join(scratch.path, `partly-${count}`);
      const seen = await seesUnixSent();
      const fields = { ...unix, result: 0, count: 1, incoming: 0, source_caller: seen ? 0 : 1 };
      const last = { fields: { ...fields, sent: 0n, result: -ENOENT }, path: `${name}.${count - 1}` };
      const sent = [0, 1].slice(0, count - 1);
      assert.deepEqual(await sendToUnix('unix', 'partly', String(count), '5', name), [
        ...sent.map((number) => ({ fields: { ...fields, sent: BigInt(5 + number) }, path: `${name}.${number}` })),
        ...(seen ? [last] : []),
      ]);
    });

  test('writes to a connected unix socket, failed ones included, are reported if the kernel function is hooked', async () => {
    const seen = await seesUnixSent();
    for (const [how, sent, result] of [
      ['written', 7n, 0],
      ['deserted', 0n, -ECONNREFUSED],
    ] as const) {
      const name = join(scratch.path, how);
      const fields = { ...unix, sent, result, count: 1, incoming: 0, source_caller: 0 };
      // The kernel drops a closed peer before the call fails.
      const path = how === 'written' ? name : '';
      assert.deepEqual(await sendToUnix('unix', how, '1', '7', name), seen ? [{ fields, path }] : []);
    }
  });

  test('the peer of a connected unix socket is reported with the path of its file', async () => {
    const name = join(scratch.path, 'connected');
    symlinkSync('.', join(scratch.path, 'here'));
    const fields = { ...unix, sent: 7n, result: 0, count: 1, incoming: 0, source_caller: 0 };
    const byLink = join(scratch.path, 'here', 'connected');
    assert.deepEqual(await sendToUnix('unix', 'connected', '1', '7', byLink), [{ fields, path: name }]);
  });

  for (const [how, by] of [
    ['sendto', 'one socket'],
    ['anew', 'one socket each'],
  ] as const)
    test(`equal datagrams are merged, by ${by}, and the merged ones are counted`, async () => {
      const before = sensor.counters(BULK).merged;
      const datagrams = await sendToUnix('unix', how, '50', '10', join(scratch.path, `many-${how}`));
      const counts = datagrams.map(({ fields }) => (fields as { count: number }).count);
      assert.equal(counts[0], 1);
      assert.ok(counts.length < 50 && sensor.counters(BULK).merged - before >= BigInt(50 - counts.length));
    });

  test('a datagram to a unix socket that does not exist is reported with its error', async () => {
    const name = join(scratch.path, 'nobody');
    const source_caller = (await seesUnixSent()) ? 0 : 1;
    const fields = { ...unix, sent: 0n, result: -ENOENT, count: 1, incoming: 0, source_caller };
    assert.deepEqual(await sendToUnix('unix', 'nobody', '1', '10', name), [{ fields, path: name }]);
  });

  test('a failed datagram is never reported with the name of an earlier call', async () => {
    const name = join(scratch.path, 'full');
    const failed = (await sendToUnix('unix', 'full', '1', '10', name)).filter(
      ({ fields }) => (fields as { result: number }).result !== 0,
    );
    const source_caller = (await seesUnixSent()) ? 0 : 1;
    const fields = { ...unix, sent: 0n, result: -ENOENT, count: 1, incoming: 0, source_caller };
    assert.deepEqual(failed, [{ fields, path: `${name}.gone` }]);
  });

  test('data on a stream or an unnamed socket pair is not reported', async () => {
    assert.deepEqual(await sendToUnix('unix', 'stream', '1', '10', join(scratch.path, 'stream')), []);
    assert.deepEqual(await sendToUnix('unix', 'pair', '1', '10', '-'), []);
  });

  test("the agent's datagrams are not sent, but counted", async () => {
    sensor.drain();
    const known = sensor.records.length;
    const { self } = sensor.counters(BULK);
    const agent_start = sensor.snapshot(process.pid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ agent_tgid: process.pid, agent_start });
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const client = createSocket('udp4');
    client.send('x', server.address().port, '127.0.0.1');
    await once(server, 'message');
    client.close();
    server.close();
    await once(server, 'close');
    sensor.drain();
    const agentRecords = sensor.records.slice(known).filter(({ header }) => header.tgid === process.pid);
    assert.deepEqual(recordsOf(agentRecords, 'rf_datagram'), []);
    assert.ok(sensor.counters(BULK).self >= self + 2n);
  });
});
