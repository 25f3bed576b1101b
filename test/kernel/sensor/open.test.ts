import assert from 'node:assert/strict';
import { closeSync, constants, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { unnamedOf, unwatchedOf } from '@ringfence/sensor';
import { nameKey, prefixKey } from '@ringfence/sensor/parts';
import { BULK, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { fileFacts } from './expect.ts';

const { ENOENT } = os.constants.errno;
const { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
/** The kernel adds it for 64-bit callers. */
const O_LARGEFILE = 0o100000;

describe('opens on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let open: string;
  let directory: string;
  before(async () => {
    scratch = new Scratch();
    open = scratch.compile('open');
    directory = join(scratch.path, 'files');
    mkdirSync(directory);
    sensor = await TestSensor.start();
  });
  beforeEach(() => {
    sensor.control({});
    for (const table of Object.values(sensor.hashes)) table.fill(0);
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Returns the opens of this test's files. The start of the program opens more. */
  async function opens(call: string, path: string, flags: number, cwd = directory): Promise<SensorRecord[]> {
    const records = await sensor.run(open, [call, path, String(flags)], { cwd });
    return recordsOf(records, 'rf_open').filter(({ texts }) => texts['path']?.bytes.includes('file'));
  }

  function file(name: string): string {
    const path = join(directory, name);
    writeFileSync(path, 'x');
    return path;
  }

  test("an open for writing is reported with the kernel's path, for every system call", async () => {
    const path = file('file-written');
    symlinkSync('file-written', join(directory, 'file-link'));
    const { inode, device, mode } = fileFacts(path);
    for (const call of ['open', 'openat', 'openat2', 'creat']) {
      const flags = call === 'creat' ? O_CREAT | O_WRONLY | O_TRUNC : O_RDWR;
      const [record, ...rest] = await opens(call, '../files/./file-link', flags);
      assert.equal(rest.length, 0);
      assert.equal(record?.lane, BULK);
      assert.equal(record?.texts['path']?.bytes.toString(), path, call);
      const { result, flags: seen, generation, real_inode, real_device, ...fields } = record?.fields ?? {};
      assert.deepEqual(fields, { inode, device, mode, source_caller: 0, count: 1, received: 0, created: 0 });
      assert.ok([generation, real_inode, real_device].every((value) => value !== undefined));
      assert.equal(record?.texts['raw_path']?.length, 0, 'no rule asks for it');
      assert.equal(result, 3);
      assert.equal(Number(seen) & ~O_LARGEFILE, flags, call);
    }
  });

  test('a file created by an open is reported as created', async () => {
    for (const call of ['open', 'openat', 'openat2']) {
      const [record] = await opens(call, `file-by-${call}`, O_CREAT | O_RDONLY);
      assert.equal(Number(record?.fields['flags']) & ~O_LARGEFILE, O_CREAT);
      assert.equal(record?.texts['path']?.bytes.toString(), join(directory, `file-by-${call}`));
      assert.equal(record?.fields['created'], 1);
      const [again] = await opens(call, `file-by-${call}`, O_CREAT | O_RDONLY);
      assert.equal(again?.fields['created'], 0, 'the file was there');
    }
  });

  test('a pipe has a name of its own, not the path of a root', async () => {
    const records = await sensor.run('/bin/sh', ['-c', '(echo x > /proc/self/fd/1) | cat > /dev/null']);
    const pipes = recordsOf(records, 'rf_open').filter(({ texts }) =>
      /^pipe:\[\d+\]$/.test(String(texts['path']?.bytes)),
    );
    assert.equal(pipes.length, 1);
    assert.equal(pipes[0]?.fields['mode'], 0o010_600);
  });

  test("a failed open is reported with the caller's path, relative to its directory, marked as such", async () => {
    const [record, ...rest] = await opens('openat', 'missing/../file', O_WRONLY);
    assert.equal(rest.length, 0);
    assert.deepEqual(record?.fields, {
      inode: 0n,
      device: 0,
      flags: O_WRONLY,
      result: -ENOENT,
      mode: 0,
      source_caller: 1,
      count: 1,
      received: 0,
      created: 0,
      generation: 0,
      real_inode: 0n,
      real_device: 0,
    });
    assert.equal(record?.texts['path']?.bytes.toString(), `${directory}/missing/../file`);
  });

  test('opens for reading are not sent, but counted, unless they are watched or all opens are sent', async () => {
    const path = file('file-read');
    const before = sensor.counters(BULK);
    assert.deepEqual(await opens('openat', path, O_RDONLY), []);
    assert.ok(sensor.counters(BULK).unwatched > before.unwatched);

    sensor.control({ all_opens: 1 });
    assert.equal((await opens('openat', path, O_RDONLY)).length, 1);
  });

  test('a watched prefix matches the resolved path, and failed opens', async () => {
    const watched = join(directory, 'watched');
    mkdirSync(watched);
    const path = file('watched/file');
    file('watchful-file');
    sensor.watch(`${watched}/`);
    const [record, ...rest] = await opens('openat', 'watched/../watched/file', O_RDONLY);
    assert.equal(rest.length, 0);
    assert.equal(record?.texts['path']?.bytes.toString(), path);
    assert.deepEqual(await opens('openat', 'watchful-file', O_RDONLY), []);
    assert.equal((await opens('openat', `${watched}/no-file`, O_RDONLY))[0]?.fields['result'], -ENOENT);
    const head = (path.codePointAt(1) ?? 0) % 64;
    const heads = (bit: number): [number, number] => (bit < 32 ? [(1 << bit) >>> 0, 0] : [0, (1 << (bit - 32)) >>> 0]);
    sensor.control({ watched_heads: heads(head) });
    assert.equal((await opens('openat', path, O_RDONLY)).length, 1);
    for (const watched_heads of [[0, 0] as [number, number], heads((head + 1) % 64), heads((head + 32) % 64)]) {
      sensor.control({ watched_heads });
      assert.deepEqual(await opens('openat', path, O_RDONLY), []);
    }
  });

  test('a path whose hashes rule out every watched prefix and name is skipped, and no other path is', async () => {
    const { unwatched, unnamed } = sensor.hashes;
    mkdirSync(join(directory, 'hashed'));
    const path = file('hashed/file-hashed');
    const [, first = '', second = '', third = ''] = path.split('/');
    const below = [`/${first}`, `/${first}/${second}`, `/${first}/${second}/${third}`, path];
    const beside = ['/\u00ff', `/${first}/\u00ff`, `/${first}/${second}/\u00ff`];
    sensor.watch(path);
    sensor.watchName('file-hashed');
    const seen = async (): Promise<number> => (await opens('openat', path, O_RDONLY)).length;
    sensor.control({ nothing_named: 1 });
    for (const prefix of below) {
      unwatched.set(unwatchedOf([prefix].map(prefixKey)));
      assert.equal(await seen(), 1, prefix);
    }
    unwatched.set(unwatchedOf(beside.map(prefixKey)));
    assert.equal(await seen(), 0);
    const far = join('hashed', ...Array.from({ length: 40 }, () => 'd'));
    mkdirSync(join(directory, far), { recursive: true });
    sensor.watch(join(directory, far));
    const deep = file(join(far, 'file-deep'));
    assert.equal((await opens('openat', deep, O_RDONLY)).length, 1, 'the prefix ends too far up to be checked');
    sensor.control({ watched_heads: [0, 0] });
    for (const [name, count] of [
      ['file-hashed', 1],
      ['file-hashe', 0],
      ['file-has2', 0],
    ] as const) {
      unnamed.set(unnamedOf([nameKey(name)]));
      assert.equal(await seen(), count, name);
    }
    const long = file(`file-${'h'.repeat(40)}`);
    sensor.watchName(basename(long));
    unnamed.set(unnamedOf([nameKey(basename(long))]));
    assert.equal((await opens('openat', long, O_RDONLY)).length, 1);
    const short = file('fil-h');
    sensor.watchName('fil-h');
    unnamed.set(unnamedOf([nameKey('fil-h')]));
    for (const asked of ['fil-h', join(directory, 'missing-directory/fil-h')])
      assert.equal((await opens('openat', asked, O_RDONLY)).length, 1, asked);
    rmSync(short);
  });

  test('a watched name matches files of this name in any directory and through links, and failed opens', async () => {
    const long = `file-${'long'.repeat(20)}`;
    for (const name of ['file-secret', long]) sensor.watchName(name);
    for (const heads of [0, 0xffff_ffff]) {
      sensor.control({ watched_heads: [heads, heads] });
      for (const name of ['file-secret', long]) {
        const path = file(name);
        symlinkSync(name, join(directory, 'file-alias'));
        const [record, ...rest] = await opens('openat', 'file-alias', O_RDONLY);
        assert.equal(rest.length, 0);
        assert.equal(record?.texts['path']?.bytes.toString(), path);
        rmSync(join(directory, 'file-alias'));
        for (const missing of [`missing-file/${name}`, join('/missing-file', name)]) {
          const [failed] = await opens('openat', missing, O_RDONLY);
          assert.equal(failed?.fields['result'], -ENOENT);
          assert.equal(failed?.texts['path']?.bytes.toString(), resolve(directory, missing));
        }
        rmSync(path);
        assert.equal((await opens('openat', name, O_RDONLY))[0]?.fields['result'], -ENOENT);
        assert.equal(
          (await opens('openat', `${name}/.`, O_RDONLY)).length,
          1,
          'the path ends with the name, apart from `/.`',
        );
        for (const different of [`${name}2`, 'xfile-secret', 'file-secret/ile-secret'])
          assert.deepEqual(await opens('openat', different, O_RDONLY), [], different);
      }
    }
    sensor.control({ nothing_named: 1 });
    file('file-secret');
    assert.deepEqual(await opens('openat', 'file-secret', O_RDONLY), []);
  });

  test('a file mounted over another has the name of its mount point', async () => {
    sensor.watchName('file-mount-point');
    sensor.control({ watched_heads: [0, 0] });
    const path = file('file-mount-point');
    const source = file('file-mounted');
    const script = 'for i in 1 2; do mount --bind "$0" "$1"; done; exec cat "$1"';
    const records = await sensor.run('unshare', [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      source,
      path,
    ]);
    const seen = recordsOf(records, 'rf_open').filter(({ texts }) => texts['path']?.bytes.toString() === path);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.fields['inode'], fileFacts(source).inode);
  });

  test("the agent's opens are not sent, but counted", () => {
    const path = file('file-of-the-agent');
    sensor.drain();
    const agent_start = sensor.snapshot(process.pid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ agent_tgid: process.pid, agent_start });
    const before = sensor.counters(BULK);
    closeSync(openSync(path, 'r+'));
    assert.ok(sensor.counters(BULK).self > before.self);
    const known = sensor.records.length;
    sensor.drain();
    const agentRecords = recordsOf(sensor.records.slice(known), 'rf_open').filter(
      ({ header }) => header.tgid === process.pid,
    );
    assert.deepEqual(agentRecords, []);
  });

  test('a process that reuses the pid of a dead agent is reported', () => {
    const path = file('file-of-a-successor');
    sensor.drain();
    sensor.control({ agent_tgid: process.pid, agent_start: 1n });
    const known = sensor.records.length;
    closeSync(openSync(path, 'r+'));
    sensor.drain();
    const opens = recordsOf(sensor.records.slice(known), 'rf_open');
    assert.equal(opens.filter(({ header }) => header.tgid === process.pid).length, 1);
  });

  test('names that are not text are reported byte by byte', async () => {
    const path = join(directory, 'file\x1b[2J\n');
    writeFileSync(path, '');
    const [record] = await opens('openat', path, O_WRONLY);
    assert.equal(record?.texts['path']?.bytes.toString(), path);
  });

  test('a path that is too long for the caller is complete in the kernel', async () => {
    const deep = scratch.compile('deep');
    const base = join(scratch.path, 'deep-open');
    mkdirSync(base);
    const component = 'file'.padEnd(250, '.');
    const records = await sensor.run(deep, [base, component, '30', '/bin/true']);
    const created = recordsOf(records, 'rf_open').find(({ texts }) =>
      texts['path']?.bytes.toString().endsWith('/leaf'),
    );
    const whole = `${base}${`/${component}`.repeat(30)}/leaf`;
    assert.equal(created?.texts['path']?.length, whole.length);
    assert.equal(created?.texts['path']?.bytes.toString(), whole.slice(0, 2048) + whole.slice(-2048));
  });
});
