import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readlinkSync, rmdirSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cgroup2, Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

interface OpenSocket {
  readonly fd: number;
  readonly inode: bigint;
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  readonly state: number;
  readonly local: string;
  readonly peer: string;
  readonly path: string;
}

const { AF_INET, AF_UNIX } = records.AddressFamily;
const [ESTABLISHED, LISTEN] = [1, 10];

/** Formats an IPv4 address in dotted form, and others in hex. */
const address = (bytes: Buffer, family: number): string =>
  family === AF_INET ? [...bytes.subarray(0, 4)].join('.') : bytes.toString('hex');

describe('the inventory of open sockets', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  before(async () => {
    scratch = new Scratch();
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Returns the sockets of one process, from an iteration over all processes. */
  function socketsOf(pid: number): OpenSocket[] {
    using link = sensor.object.program('sockets').attachIterator();
    using iterator = link.iterate();
    const bytes = Buffer.from(iterator.readAll());
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const count = bytes.length / records.SIZEOF_OPEN_SOCKET;
    assert.ok(Number.isInteger(count));
    const places = Array.from({ length: count }, (_, index) => index * records.SIZEOF_OPEN_SOCKET);
    const matching = places.filter((at) => records.openSocketTgid(view, at) === pid);
    return matching.map((at) => {
      const family = records.openSocketFamily(view, at);
      const part = (offset: number, length: number): Buffer => bytes.subarray(at + offset, at + offset + length);
      const [local, peer] = [records.OPEN_SOCKET_LOCAL_ADDRESS, records.OPEN_SOCKET_ADDRESS].map((offset) =>
        address(part(offset, 16), family),
      );
      return {
        fd: records.openSocketFd(view, at),
        inode: bytes.readBigUInt64LE(at + records.OPEN_SOCKET_INODE),
        family,
        type: records.openSocketType(view, at),
        protocol: records.openSocketProtocol(view, at),
        state: records.openSocketState(view, at),
        local: `${local}:${records.openSocketLocalPort(view, at)}`,
        peer: `${peer}:${records.openSocketPort(view, at)}`,
        path: part(records.OPEN_SOCKET_PATH, records.openSocketPathBytes(view, at)).toString('latin1'),
      };
    });
  }

  test('a listening socket and both ends of a connection are listed with addresses, states and inodes', async () => {
    const { server, port } = await listen();
    const client = await connectTo(port);
    try {
      const found = socketsOf(process.pid).filter(({ local, peer }) => `${local} ${peer}`.includes(`:${port}`));
      const from = `127.0.0.1:${client.localPort}`;
      const shown = found.map(({ family, type, protocol, state, local, peer }) =>
        [family, type, protocol, state, local, peer].join(' '),
      );
      const expected = [
        `2 1 6 ${ESTABLISHED} 127.0.0.1:${port} ${from}`,
        `2 1 6 ${ESTABLISHED} ${from} 127.0.0.1:${port}`,
        `2 1 6 ${LISTEN} 127.0.0.1:${port} 0.0.0.0:0`,
      ];
      assert.deepEqual(shown.sort(), expected.sort());
      for (const { fd, inode } of found) assert.equal(readlinkSync(`/proc/self/fd/${fd}`), `socket:[${inode}]`);
    } finally {
      client.destroy();
      server.close();
    }
  });

  test('unix sockets are listed with their path, abstract ones with the leading NUL, up to the longest path', async () => {
    const paths = [
      join(scratch.path, 'listens'),
      `\0rf-abstract-${process.pid}`,
      join(scratch.path, 'x').padEnd(107, 'x'),
    ];
    const servers = await Promise.all(paths.map((path) => listenAt(path)));
    try {
      const found = socketsOf(process.pid).filter(({ family, state }) => family === AF_UNIX && state === LISTEN);
      const shown = found.map(({ path }) => (path.startsWith('\0') ? path : path.split('\0')[0]));
      for (const path of paths) assert.ok(shown.includes(path), JSON.stringify(shown));
    } finally {
      for (const server of servers) server.close();
    }
  });

  test('a closed socket is not listed, and sockets of another process are', async () => {
    const { server, port } = await listen();
    const listens = (): boolean =>
      socketsOf(process.pid).some(({ local, state }) => local === `127.0.0.1:${port}` && state === LISTEN);
    assert.ok(listens());
    await new Promise((resolve) => server.close(resolve));
    assert.ok(!listens());
    // Node uses unix sockets as pipes.
    const child = spawn('sleep', ['60']);
    try {
      await once(child, 'spawn');
      const shown = socketsOf(child.pid ?? 0).map(({ fd, family, state }) => [fd, family, state]);
      assert.deepEqual(
        shown,
        [0, 1, 2].map((fd) => [fd, 1, ESTABLISHED]),
      );
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('the path of a cgroup stays known after its removal', () => {
    const name = `rf-made-${process.pid}`;
    const outer = join(cgroup2() ?? '', name);
    const inner = join(outer, 'y'.repeat(200));
    mkdirSync(outer);
    mkdirSync(inner);
    const id = statSync(inner, { bigint: true }).ino;
    rmdirSync(inner);
    rmdirSync(outer);
    const made = sensor.object.map('rf_cgroups').get(id) as { ktime: bigint; length: number; path: Uint8Array };
    const path = `/${name}/${'y'.repeat(200)}`;
    assert.equal(made.length, path.length);
    assert.equal(Buffer.from(made.path).toString('latin1', 0, made.length), path);
    assert.ok(made.ktime > 0n);
    assert.equal(sensor.object.map('rf_cgroups').get(id + 1_000_000n), undefined);
  });
});

async function listenAt(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as { port: number }).port };
}

async function connectTo(port: number): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  await new Promise((resolve) => client.once('connect', resolve));
  return client;
}
