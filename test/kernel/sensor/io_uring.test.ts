import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BULK, recordsOf, Scratch, SECURITY, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records as layout } from '@ringfence/wire';
import { fileFacts } from './expect.ts';

const { ENOENT, EACCES, ENOTSOCK, EOPNOTSUPP, EADDRNOTAVAIL, ECONNREFUSED } = constants.errno;
const { IoOperation: OPERATION } = layout;
const O_RDONLY = '0';
const O_LARGEFILE = 0o100000;
const O_RDWR_CREAT = 0o102;
const SQPOLL = '2';
const SKIP_SUCCESS = '64';
const { AT_REMOVEDIR } = layout.AtFlag;
const { AF_UNIX, AF_INET, AF_INET6 } = layout.AddressFamily;

const names = new Map(
  Object.entries(OPERATION).map(([name, value]) => [Number(value), name.slice('IO_'.length).toLowerCase()]),
);

interface Operation {
  readonly name: string;
  readonly result: number;
  readonly path: string;
  readonly target: string;
  readonly record: SensorRecord;
}

/** Kernels before 6.4 have a different hook, and their io_uring has fewer operations. */
const SUBMITTED = 'io_uring_submitted';
const OLD = 'io_uring of this kernel has no bind, no listen and no send to an address';

describe('io_uring operations on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  let directory: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('io_uring');
    directory = join(scratch.path, 'files');
    mkdirSync(directory);
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Runs io_uring operations, separated by commas. */
  async function ring(commands: string, flags = '0', each = '0'): Promise<Operation[]> {
    const records = await sensor.run(program, [flags, each, ...commands.split(' ')], { cwd: directory });
    return recordsOf(records, 'rf_io_uring').map((record) => ({
      name: names.get(record.fields['opcode'] as number) ?? String(record.fields['opcode']),
      result: record.fields['result'] as number,
      path: record.texts['path']?.bytes.toString() ?? '',
      target: record.texts['target']?.bytes.toString() ?? '',
      record,
    }));
  }

  const below = (name: string): string => join(directory, name);
  const summary = ({ name, result, path, target }: Operation): unknown[] => [name, result, path, target];
  const address = ({ record: { fields } }: Operation): unknown[] => {
    const bytes = Buffer.from(fields['address'] as unknown as number[]);
    const family = fields['family'];
    return [family, bytes.subarray(0, family === AF_INET ? 4 : 16).toString('hex'), fields['port']];
  };
  const loopback6 = `${'0'.repeat(31)}1`;

  test('an open is reported with the path of the opened file', async () => {
    writeFileSync(below('file'), 'x');
    symlinkSync('file', below('link'));
    const { inode, device } = fileFacts(below('file'));
    const [opened, ...rest] = await ring(`openat ../files/./link ${O_RDONLY}`);
    assert.deepEqual(rest, []);
    assert.ok(opened !== undefined && opened.result >= 0);
    assert.equal(opened.record.lane, SECURITY);
    assert.deepEqual([opened.name, opened.path], ['openat', below('file')]);
    const { flags, ...fields } = opened.record.fields;
    assert.equal(Number(flags) & ~O_LARGEFILE, 0);
    assert.deepEqual([fields['inode'], fields['device'], fields['submission_thread']], [inode, device, 0]);
  });

  test('openat2 is reported with the flags that the kernel used', async () => {
    const [created] = await ring('openat2 made');
    assert.deepEqual([created?.name, created?.path], ['openat2', below('made')]);
    assert.equal(Number(created?.record.fields['flags']) & ~O_LARGEFILE, O_RDWR_CREAT);
  });

  test('a failed open is reported with its name, relative to its directory', async () => {
    const operations = await ring(`openat none/./file ${O_RDONLY} , openat /rf-none ${O_RDONLY}`);
    assert.deepEqual(operations.map(summary), [
      ['openat', -ENOENT, `${directory}/none/./file`, ''],
      ['openat', -ENOENT, '/rf-none', ''],
    ]);
  });

  test("a file opened into the ring's file table is not taken for descriptor 0", async () => {
    const [direct] = await ring(`openat /etc/passwd ${O_RDONLY} direct`);
    assert.deepEqual(direct && summary(direct), ['openat', 0, '/etc/passwd', '']);
  });

  test('mkdir, symlink, link, rename, unlink and rmdir are reported', async () => {
    writeFileSync(below('one'), 'x');
    const done = await ring(
      'mkdirat dir , symlinkat text soft-not , linkat one two , renameat two dir/three , unlinkat one , unlinkat dir/three , unlinkat dir dir',
    );
    assert.deepEqual(done.map(summary), [
      ['mkdirat', 0, below('dir'), ''],
      ['symlinkat', 0, below('soft-not'), 'text'],
      ['linkat', 0, below('one'), below('two')],
      ['renameat', 0, below('two'), below('dir/three')],
      ['unlinkat', 0, below('one'), ''],
      ['unlinkat', 0, below('dir/three'), ''],
      ['unlinkat', 0, below('dir'), ''],
    ]);
    assert.equal(done[0]?.record.fields['flags'], 0o700);
    assert.deepEqual(
      done.slice(-2).map(({ record }) => record.fields['flags']),
      [0, AT_REMOVEDIR],
    );
    for (const { record } of done) assert.equal(record.lane, SECURITY);
  });

  test('failed changes of names are reported', async () => {
    const failed = await ring(
      'mkdirat /rf-none/a , symlinkat text /rf-none/a , linkat /rf-none/a b , renameat /rf-none/a b , unlinkat /rf-none/a , unlinkat /rf-none dir',
    );
    assert.deepEqual(
      failed.map(({ name, result }) => [name, result]),
      [
        ['mkdirat', -ENOENT],
        ['symlinkat', -ENOENT],
        ['linkat', -ENOENT],
        ['renameat', -ENOENT],
        ['unlinkat', -ENOENT],
        ['unlinkat', -ENOENT],
      ],
    );
    assert.deepEqual(
      failed.map(({ path }) => path),
      [...Array(5).fill('/rf-none/a'), '/rf-none'],
    );
  });

  test('extended attributes are reported, by path and by descriptor', async () => {
    writeFileSync(below('attributes'), 'x');
    const operations = await ring(
      'setxattr attributes user.rf , fsetxattr attributes user.more , setxattr /rf-none user.rf',
    );
    assert.deepEqual(
      operations.map(({ name, path, target }) => [name, path, target]),
      [
        ['setxattr', below('attributes'), 'user.rf'],
        ['fsetxattr', below('attributes'), 'user.more'],
        ['setxattr', '/rf-none', 'user.rf'],
      ],
    );
    assert.equal(operations[2]?.result, -ENOENT);
    assert.equal(operations[1]?.record.fields['inode'], fileFacts(below('attributes')).inode);
  });

  test('connects are reported with their address, even if they fail', async () => {
    const operations = await ring('connect 127.0.0.1 1 , connect ::1 1 , connect /rf-none/socket');
    assert.deepEqual(
      operations.map(({ name, result }) => [name, result]),
      [
        ['connect', -ECONNREFUSED],
        ['connect', -ECONNREFUSED],
        ['connect', -ENOENT],
      ],
    );
    const [four, six, unix] = operations;
    assert.deepEqual(four && address(four), [AF_INET, '7f000001', 1]);
    assert.deepEqual(six && address(six), [AF_INET6, loopback6, 1]);
    assert.deepEqual([unix?.record.fields['family'], unix?.path], [AF_UNIX, '/rf-none/socket']);
    // the hook of older kernels runs while the address is in the caller's memory only
    const caller = sensor.missing.has(SUBMITTED) ? 1 : 0;
    for (const { record } of operations)
      assert.deepEqual([record.lane, record.fields['source_caller']], [SECURITY, caller]);
  });

  test('successful connects and accepts are reported with the addresses of the socket', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const [connected, accepted, refused] = await ring(`connect 127.0.0.1 ${port} , accept yes , accept x`);
    server.close();
    assert.deepEqual(connected && [connected.result, ...address(connected)], [0, AF_INET, '7f000001', port]);
    assert.ok(accepted !== undefined && accepted.result >= 0);
    assert.deepEqual(address(accepted).slice(0, 2), [AF_INET, '7f000001']);
    assert.ok(Number(accepted.record.fields['port']) > 0);
    assert.deepEqual([refused?.name, refused?.result], ['accept', -ENOTSOCK]);
  });

  test('creating, binding and listening sockets are reported, even if they fail', async (t) => {
    if (sensor.missing.has(SUBMITTED)) return t.skip(OLD);
    const operations = await ring(
      'socket 2 1 , socket 99 1 , bind 127.0.0.1 0 , bind 203.0.113.9 5 , bind ::1 0 , listen yes , listen x',
    );
    const [made, none, bound, foreign, six, listening, nothing] = operations;
    assert.deepEqual(
      operations.map(({ name }) => name),
      ['socket', 'socket', 'bind', 'bind', 'bind', 'listen', 'listen'],
    );
    assert.deepEqual([made?.record.fields['family'], made?.record.fields['flags']], [AF_INET, 1]);
    assert.ok((made?.result ?? -1) >= 0 && (none?.result ?? 0) < 0);
    assert.equal(none?.record.fields['family'], 99);
    assert.deepEqual(bound && address(bound).slice(0, 2), [AF_INET, '7f000001']);
    assert.ok(Number(bound?.record.fields['port']) > 0, 'the kernel chose a port');
    assert.deepEqual(foreign && [foreign.result, ...address(foreign)], [-EADDRNOTAVAIL, AF_INET, 'cb007109', 5]);
    assert.deepEqual(six && address(six).slice(0, 2), [AF_INET6, loopback6]);
    assert.equal(listening?.result, 0);
    assert.ok(Number(listening?.record.fields['port']) > 0);
    assert.equal(nothing?.result, -ENOTSOCK);
  });

  test('datagrams are reported on the bulk lane, merged per address, and data on connected sockets is not', async (t) => {
    if (sensor.missing.has(SUBMITTED)) return t.skip(OLD);
    const before = sensor.counters(BULK).unwatched;
    const sent = await ring('send 127.0.0.1 9 , send 127.0.0.1 9 , sendmsg 127.0.0.1 9 , send 127.0.0.1 10');
    assert.deepEqual(
      sent.map((operation) => [operation.name, ...address(operation)]),
      [
        ['send', AF_INET, '7f000001', 9],
        ['sendmsg', AF_INET, '7f000001', 9],
        ['send', AF_INET, '7f000001', 10],
      ],
    );
    for (const { record } of sent) assert.equal(record.lane, BULK);
    assert.equal(sensor.counters(BULK).unwatched - before >= 1n, true);
  });

  test('a datagram that is not sent is reported with its error', async (t) => {
    if (sensor.missing.has(SUBMITTED)) return t.skip(OLD);
    const [failed, ...rest] = await ring('send 127.255.255.255 9');
    assert.deepEqual([failed?.name, failed?.result, rest.length], ['send', -EACCES, 0]);
  });

  test('commands to drivers are reported with file and command number', async () => {
    const [device, socket] = await ring('command /dev/null 5 , command socket 77');
    assert.deepEqual([device?.name, device?.path, device?.record.fields['flags']], ['uring_cmd', '/dev/null', 5]);
    assert.deepEqual([socket?.result, socket?.path, socket?.record.fields['flags']], [-EOPNOTSUPP, '', 77]);
  });

  test('operations of a kernel polling thread are attributed to the process that created the ring', async () => {
    const [opened, connected] = await ring(`openat /etc/passwd ${O_RDONLY} , connect 127.0.0.1 1`, SQPOLL);
    assert.equal(opened?.path, '/etc/passwd');
    assert.equal(connected?.result, -ECONNREFUSED);
    for (const operation of [opened, connected]) {
      assert.equal(operation?.record.fields['submission_thread'], 1);
      assert.notEqual(operation?.record.header.tid, operation?.record.header.tgid);
    }
  });

  test('a request without a completion on success is reported when it is submitted', async () => {
    const operations = await ring('mkdirat silent , unlinkat silent dir', '0', SKIP_SUCCESS);
    assert.deepEqual(operations.map(summary), [
      ['mkdirat', 0, below('silent'), ''],
      ['unlinkat', 0, below('silent'), ''],
    ]);
    for (const { record } of operations) assert.equal(record.fields['result_unknown'], 1);
  });

  test('a long name is reported with head, tail and true length', async () => {
    const long = `/rf-none/${'y/'.repeat(1000)}z`;
    const [mkdir] = await ring(`mkdirat ${long}`);
    assert.equal(mkdir?.path, long.slice(0, 512) + long.slice(-512));
    assert.equal(mkdir?.record.texts['path']?.length, long.length);
  });

  test('operations on open descriptors are not reported', async () => {
    assert.deepEqual(await ring('nop'), []);
  });

  test("the agent's operations are not sent, but counted", async () => {
    const child = spawn('sh', ['-c', `read go; exec ${program} 0 0 mkdirat /rf-none/a`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const agent_tgid = child.pid ?? assert.fail('not started');
    const agent_start = sensor.snapshot(agent_tgid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ agent_tgid, agent_start });
    const before = sensor.counters(SECURITY).self;
    child.stdin.end('go\n');
    await once(child, 'exit');
    assert.deepEqual(recordsOf(sensor.familyOf(child), 'rf_io_uring'), []);
    assert.ok(sensor.counters(SECURITY).self > before);
  });
});
