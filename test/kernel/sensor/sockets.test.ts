import assert from 'node:assert/strict';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  callerUnlessFull,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const { ENOENT, EADDRINUSE, EADDRNOTAVAIL, EPROTONOSUPPORT, EOPNOTSUPP } = constants.errno;
const { SOCKET_SOCKET: SOCKET, SOCKET_BIND: BIND, SOCKET_LISTEN: LISTEN } = records.SocketOperation;
const UNIX = 1;
const INET = 2;
const INET6 = 10;
const NETLINK = 16;
const PACKET = 17;
const ALG = 38;
const VSOCK = 40;
const STREAM = 1;
const DATAGRAM = 2;
const RAW = 3;
const TCP = 6;
const UDP = 17;
const none = new Uint8Array(16);

const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
const localhost6 = new Uint8Array(16).fill(1, 15);
const nothing = { port: 0, context_id: 0, backlog: 0, source_caller: 0, address: none };

describe('sockets on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let sockets: string;
  before(async () => {
    scratch = new Scratch();
    sockets = scratch.compile('sockets');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Runs the program and returns its socket records. */
  async function run(...args: (string | number)[]): Promise<SensorRecord[]> {
    const seen = recordsOf(await sensor.run(sockets, args.map(String)), 'rf_socket');
    for (const { lane } of seen) assert.equal(lane, SECURITY);
    return seen;
  }

  async function runOnly(...args: (string | number)[]): Promise<{ fields: object; path: string | undefined }> {
    const { fields, texts } = recordOf(await run(...args), 'rf_socket');
    return { fields, path: texts['path']?.bytes.toString() };
  }

  for (const [family, type, protocol, protocolNumber] of [
    [PACKET, RAW, 0x0300, 3],
    [PACKET, DATAGRAM, 0x0008, 0x0800],
    [INET, RAW, TCP, TCP],
    [INET6, RAW, 58, 58],
    [NETLINK, RAW, 12, 12],
  ] as const) {
    test(`a socket of family ${family}, type ${type} and protocol ${protocolNumber} is reported`, async () => {
      const { result, ...fields } = (await runOnly('socket', family, type, protocol)).fields as { result: number };
      assert.deepEqual(fields, { ...nothing, operation: SOCKET, family, type, protocol: protocolNumber });
      assert.ok(result > 2 || result === -EPROTONOSUPPORT, `${result}`);
    });
  }

  test('an AF_ALG socket is reported, as a failure if the kernel lacks the family', async () => {
    const { result, ...fields } = (await runOnly('socket', ALG, 5, 0)).fields as { result: number };
    assert.deepEqual(fields, { ...nothing, operation: SOCKET, family: ALG, type: 5, protocol: 0 });
    assert.ok(result > 2 || result === -97, `${result}`);
  });

  test('a raw socket with an unknown protocol is reported as failed', async () => {
    const { fields } = await runOnly('socket', INET, RAW, 999);
    assert.deepEqual(fields, {
      ...nothing,
      operation: SOCKET,
      family: INET,
      type: RAW,
      protocol: 999,
      result: -22,
    });
  });

  test('ordinary sockets are not sent, but counted', async () => {
    const before = sensor.counters(SECURITY).unwatched;
    for (const [family, type] of [
      [INET, STREAM],
      [INET6, DATAGRAM],
      [UNIX, STREAM],
      [NETLINK, RAW],
    ] as const)
      assert.deepEqual(await run('socket', family, type, 0), []);
    assert.ok(sensor.counters(SECURITY).unwatched >= before + 4n);
  });

  test("bind and listen are reported with the socket's address, including a port that the kernel chose", async () => {
    for (const [kind, family, address, text] of [
      ['tcp4', INET, localhost4, '127.0.0.1'],
      ['tcp6', INET6, localhost6, '::1'],
    ] as const) {
      const [bound, listening, ...more] = await run('bind', kind, text, 0, 5);
      assert.deepEqual(more, []);
      const port = Number(bound?.fields['port']);
      assert.ok(port > 0);
      const common = { ...nothing, family, type: STREAM, protocol: TCP, address, port, result: 0 };
      assert.deepEqual(bound?.fields, { ...common, operation: BIND });
      assert.deepEqual(listening?.fields, { ...common, operation: LISTEN, backlog: 5 });
    }
  });

  test('a failed bind is reported with the address that the kernel copied', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const common = { ...nothing, operation: BIND, type: STREAM, protocol: TCP };
      assert.deepEqual((await runOnly('bind', 'tcp4', '127.0.0.1', port)).fields, {
        ...common,
        family: INET,
        address: localhost4,
        port,
        result: -EADDRINUSE,
      });
      assert.deepEqual((await runOnly('bind', 'tcp6', '2001:db8::7', 80)).fields, {
        ...common,
        family: INET6,
        address: Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
        port: 80,
        result: -EADDRNOTAVAIL,
      });
    } finally {
      server.close();
    }
  });

  test("a unix socket is reported with the path of its file, or with the caller's path if it cannot be created", async () => {
    const common = { ...nothing, family: UNIX, type: STREAM, protocol: 0 };
    symlinkSync('.', join(scratch.path, 'here'));
    const [bound, listening] = await run('bind', 'unix', join(scratch.path, 'here/socket'), 0, 3);
    const path = join(scratch.path, 'socket');
    assert.deepEqual(bound?.fields, { ...common, operation: BIND, result: 0 });
    assert.deepEqual(listening?.fields, { ...common, operation: LISTEN, result: 0, backlog: 3 });
    assert.deepEqual(
      [bound, listening].map((record) => record?.texts['path']?.bytes.toString()),
      [path, path],
    );
    const nowhere = join(scratch.path, 'no/socket');
    assert.deepEqual(await runOnly('bind', 'unix', nowhere, 0), {
      fields: { ...common, operation: BIND, result: -ENOENT, source_caller: await callerUnlessFull() },
      path: nowhere,
    });
    assert.deepEqual(await runOnly('bind', 'abstract', 'ringfence-bound', 0), {
      fields: { ...common, operation: BIND, result: 0 },
      path: '\0ringfence-bound',
    });
  });

  test('a vsock is reported with context id and port', async () => {
    const seen = await run('bind', 'vsock', -1, 70000, 2);
    const common = { ...nothing, family: VSOCK, type: STREAM, protocol: 0 };
    const made = seen[0]?.fields as { result: number; operation: number };
    assert.equal(made.operation, SOCKET);
    if (made.result < 0) {
      assert.equal(seen.length, 1, 'without vsock, the failed call is the only record');
      return;
    }
    const bound = { ...common, context_id: 0xffffffff, port: 70000, result: 0 };
    assert.deepEqual(
      seen.slice(1).map(({ fields }) => fields),
      [
        { ...bound, operation: BIND },
        { ...bound, operation: LISTEN, backlog: 2 },
      ],
    );
    const [, failed] = await run('bind', 'vsock', 77777, 5);
    assert.deepEqual(failed?.fields, {
      ...common,
      operation: BIND,
      context_id: 77777,
      port: 5,
      result: -EADDRNOTAVAIL,
      source_caller: await callerUnlessFull(),
    });
  });

  test('a failed listen is reported', async () => {
    const {
      port: _,
      address: __,
      ...fields
    } = (await runOnly('listen', 'connected')).fields as Record<string, unknown>;
    assert.deepEqual(fields, {
      context_id: 0,
      source_caller: 0,
      operation: LISTEN,
      family: INET,
      type: DATAGRAM,
      protocol: UDP,
      backlog: 7,
      result: -EOPNOTSUPP,
    });
  });

  test("the agent's sockets are not sent, but counted", async () => {
    const before = sensor.counters(SECURITY).self;
    sensor.drain();
    const known = sensor.records.length;
    const agent_start = sensor.snapshot(process.pid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ agent_tgid: process.pid, agent_start });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    sensor.drain();
    const agentRecords = sensor.records.slice(known).filter(({ header }) => header.tgid === process.pid);
    assert.deepEqual(recordsOf(agentRecords, 'rf_socket'), []);
    assert.ok(sensor.counters(SECURITY).self >= before + 2n);
  });
});
