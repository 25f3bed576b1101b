import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { callerUnlessFull, recordOf, recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';
import { IPPROTO, records, SOCK } from '@ringfence/wire';

const { ENOENT, EISCONN, ECONNREFUSED, EINPROGRESS } = constants.errno;
const { AF_UNIX, AF_INET, AF_INET6 } = records.AddressFamily;
const zero = new Uint8Array(16);

function address(...bytes: number[]): Uint8Array {
  const padded = new Uint8Array(16);
  padded.set(bytes);
  return padded;
}

/**
 * Returns the fields about the remote end (accept.test.ts checks both ends) after verifying that the duration is
 * plausible.
 */
function remoteFields(fields: object): object {
  const { local_address: _, local_port: __, duration, count, ...rest } = fields as Record<string, unknown>;
  assert.ok((duration as bigint) > 0n && (duration as bigint) < 60_000_000_000n, `${duration} ns`);
  assert.equal(count, 1);
  return rest;
}

const localhost6 = new Uint8Array(16).fill(1, 15);

describe('connects on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let connect: string;
  const servers: Server[] = [];
  before(async () => {
    scratch = new Scratch();
    connect = scratch.compile('connect');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    for (const server of servers) server.close();
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function listen(where: { host: string; port: number } | { path: string }): Promise<number> {
    const server = createServer((socket) => socket.destroy()).listen(where);
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function record(...args: string[]): Promise<{ fields: object; path: string | undefined }> {
    const { lane, fields, texts } = recordOf(await sensor.run(connect, args), 'rf_connect');
    assert.equal(lane, SECURITY);
    return { fields: remoteFields(fields), path: texts['path']?.bytes.toString() };
  }

  test('a TCP connection over IPv4 and IPv6 is reported with its peer', async () => {
    const port4 = await listen({ host: '127.0.0.1', port: 0 });
    const port6 = await listen({ host: '::1', port: 0 });
    const common = { type: SOCK.STREAM, protocol: IPPROTO.TCP, result: 0, source_caller: 0 };
    assert.deepEqual((await record('tcp4', '127.0.0.1', String(port4))).fields, {
      ...common,
      family: AF_INET,
      address: address(127, 0, 0, 1),
      port: port4,
    });
    assert.deepEqual((await record('tcp6', '::1', String(port6))).fields, {
      ...common,
      family: AF_INET6,
      address: localhost6,
      port: port6,
    });
  });

  test('a refused connection is reported with its peer, as the kernel copied it', async () => {
    const common = { type: SOCK.STREAM, protocol: IPPROTO.TCP, result: -ECONNREFUSED, source_caller: 0, port: 1 };
    const v4 = { ...common, family: AF_INET, address: address(127, 0, 0, 1) };
    const v6 = { ...common, family: AF_INET6, address: localhost6 };
    assert.deepEqual((await record('tcp4', '127.0.0.1', '1')).fields, v4);
    assert.deepEqual((await record('tcp6', '::1', '1')).fields, v6);
  });

  test('a non-blocking connect is reported when it begins', async () => {
    // TEST-NET-1 has no hosts. Without a route the call fails at once, with the same peer.
    const { result, ...fields } = recordOf(
      await sensor.run(connect, ['tcp4', '192.0.2.1', '80', 'nonblock']),
      'rf_connect',
    ).fields;
    assert.deepEqual(remoteFields(fields), {
      family: AF_INET,
      type: SOCK.STREAM,
      protocol: IPPROTO.TCP,
      port: 80,
      address: address(192, 0, 2, 1),
      source_caller: 0,
    });
    assert.ok((result as number) === -EINPROGRESS || (result as number) < 0);
  });

  test('a UDP connect is reported, and disconnecting is not', async () => {
    assert.deepEqual((await record('udp4', '127.0.0.1', '53')).fields, {
      family: AF_INET,
      type: SOCK.DGRAM,
      protocol: IPPROTO.UDP,
      port: 53,
      address: address(127, 0, 0, 1),
      result: 0,
      source_caller: 0,
    });
    assert.deepEqual(recordsOf(await sensor.run(connect, ['unspec', '-', '0']), 'rf_connect'), []);
  });

  const unix = { family: AF_UNIX, type: SOCK.STREAM, protocol: 0, port: 0, address: zero };

  test('a unix socket is reported with the path of its file, even if the caller used a symbolic link', async () => {
    const path = join(scratch.path, 'socket');
    const link = join(scratch.path, 'link');
    symlinkSync('socket', link);
    await listen({ path });
    assert.deepEqual(await record('unix', link, '0'), { fields: { ...unix, result: 0, source_caller: 0 }, path });
  });

  test("with shared descriptors, a unix connect is reported with the kernel's path where the cgroup hook exists (6.7)", async () => {
    const path = join(scratch.path, 'shared');
    await listen({ path });
    const hasHook = readFileSync('/sys/kernel/btf/vmlinux').includes('\0BPF_CGROUP_UNIX_CONNECT\0');
    const source_caller = hasHook ? 0 : await callerUnlessFull();
    assert.deepEqual(await record('shared', path, '-'), { fields: { ...unix, result: 0, source_caller }, path });
  });

  test('an abstract unix socket is reported with its name, which begins with NUL', async () => {
    const name = `ringfence-test-${process.pid}`;
    await listen({ path: `\0${name}` });
    assert.deepEqual(await record('abstract', name, '0'), {
      fields: { ...unix, result: 0, source_caller: 0 },
      path: `\0${name}`,
    });
  });

  test('the duration of a unix connect includes the wait for its peer', async () => {
    const [, second] = recordsOf(await sensor.run(connect, ['waits', join(scratch.path, 'busy'), '20']), 'rf_connect');
    assert.equal(second?.fields['result'], 0);
    assert.ok((second?.fields['duration'] as bigint) >= 20_000_000n);
  });

  test('a call that the kernel refuses before it reads the address has no duration', async () => {
    const port = await listen({ host: '127.0.0.1', port: 0 });
    const [first, second] = recordsOf(await sensor.run(connect, ['twice', '127.0.0.1', String(port)]), 'rf_connect');
    assert.deepEqual([first?.fields['result'], second?.fields['result']], [0, -EISCONN]);
    assert.ok((first?.fields['duration'] as bigint) > 0n);
    assert.equal(second?.fields['duration'], 0n);
  });

  test("a unix socket that does not exist is reported with the caller's path, marked as such", async () => {
    const path = join(scratch.path, 'nobody');
    const source_caller = await callerUnlessFull();
    assert.deepEqual(await record('unix', path, '0'), { fields: { ...unix, result: -ENOENT, source_caller }, path });
  });

  test("the agent's connections are not sent, but counted", async () => {
    const port = await listen({ host: '127.0.0.1', port: 0 });
    sensor.drain();
    const known = sensor.records.length;
    const before = sensor.counters(SECURITY);
    const agent_start = sensor.snapshot(process.pid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ agent_tgid: process.pid, agent_start });
    const { connect: dial } = await import('node:net');
    const socket = dial(port, '127.0.0.1');
    await once(socket, 'close');
    sensor.drain();
    const agentRecords = sensor.records.slice(known).filter(({ header }) => header.tgid === process.pid);
    assert.deepEqual(recordsOf(agentRecords, 'rf_connect'), []);
    assert.ok(sensor.counters(SECURITY).self > before.self);
  });
});
