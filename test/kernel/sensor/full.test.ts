/**
 * With the hooks of the full profile, records have the kernel's values, whatever another thread does during the call.
 * Without
 * them, every value that another thread could have forged is marked.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { UNIX_SENT } from '@ringfence/sensor/parts';
import {
  fullProfile,
  lastOf,
  recordsOf,
  Scratch,
  type SensorRecord,
  sensorObject,
  skip as sensorSkip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';
import { fileFacts } from './expect.ts';

const { ENOENT } = os.constants.errno;
const OPENS = 200;
const CHANGES = 100;
const FILE = { MKDIR: records.FileOperation.FILE_MKDIR, CHMOD: records.FileOperation.FILE_CHMOD };

const profile = sensorSkip === false ? fullProfile(await sensorObject()) : undefined;
const full = (profile?.programs.size ?? 0) > 0;
const unixHook = profile?.programs.has(UNIX_SENT) === true;
const reason = profile?.missingHooks.get('file_open');
const skip = full
  ? false
  : `this kernel has no hooks of the full profile (npm run test:kernels boots one that has): ${reason}`;

describe('values that another thread can change during a call', { skip: sensorSkip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let programs: { readonly [name: string]: string };
  before(async () => {
    scratch = new Scratch();
    programs = Object.fromEntries(
      ['race', 'race_arguments', 'open', 'change', 'mount', 'terminate'].map((name) => [name, scratch.compile(name)]),
    );
    sensor = await TestSensor.start({ full });
    sensor.control({});
    sensor.watch(scratch.path);
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const program = (name: string): string => programs[name] ?? assert.fail(name);
  const at = (name: string): string => join(scratch.path, name);

  function opensOf(records: readonly SensorRecord[], part: string): SensorRecord[] {
    return recordsOf(records, 'rf_open').filter(({ texts }) => texts['path']?.bytes.includes(part));
  }

  /** Runs race_arguments and returns the counts that it prints, with the records of the given type. */
  async function race(
    type: string,
    ...words: readonly string[]
  ): Promise<{ counts: number[]; records: SensorRecord[] }> {
    const output = at('counts');
    const stdout = openSync(output, 'w');
    try {
      const records = await sensor.run(program('race_arguments'), words, { stdio: ['ignore', stdout, 'inherit'] });
      const counts = readFileSync(output, 'utf8').trim().split(' ').map(Number);
      assert.equal(counts.length, 2, words.join(' '));
      return { counts, records: recordsOf(records, type) };
    } finally {
      closeSync(stdout);
    }
  }

  /** Asserts that all values are the kernel's, or that every record is marked. */
  function assertKernelValues(
    records: readonly SensorRecord[],
    expectedPaths: readonly string[],
    counts: readonly number[],
  ): void {
    if (!full) {
      assert.ok(records.length > 0);
      for (const { fields } of records) assert.equal(fields['source_caller'], 1);
      return;
    }
    const successful = records.filter(({ fields }) => fields['result'] === 0);
    for (const { fields } of successful) assert.equal(fields['source_caller'], 0);
    const paths = successful.map(({ texts }) => texts['path']?.bytes.toString());
    const counted = expectedPaths.map((path) => paths.filter((candidate) => candidate === path).length);
    assert.deepEqual(counted, counts);
    assert.equal(
      successful.length,
      counts.reduce((sum, count) => sum + count, 0),
    );
  }

  test('an open is reported as opened by the kernel, or marked, when another thread replaces the descriptor', async () => {
    const [path, decoy] = [at('raced-file'), at('decoy')];
    for (const file of [path, decoy]) writeFileSync(file, '');
    const records = await sensor.run(program('race'), [path, decoy, String(OPENS)]);
    if (!full) {
      for (const part of ['raced-file', 'decoy'])
        for (const { fields } of opensOf(records, part).filter(({ header }) => header.tid !== header.tgid))
          assert.equal(fields['source_caller'], 1);
      return;
    }
    const { inode, device, mode } = fileFacts(path);
    const opens = opensOf(records, 'raced-file');
    assert.equal(opens.length, OPENS);
    for (const { fields } of opens) {
      const { flags, result, generation: _, real_inode: __, real_device: ___, ...facts } = fields;
      assert.deepEqual(facts, { inode, device, mode, source_caller: 0, count: 1, received: 0, created: 0 });
      assert.equal(Number(flags) & 3, constants.O_WRONLY);
      assert.ok(Number(result) > 2);
    }
  });

  test('the test program works: a thread does replace descriptors', () => {
    const [path, decoy] = [at('raced-again'), at('decoy-again')];
    for (const file of [path, decoy]) writeFileSync(file, '');
    // Without a free core the threads take turns, and a run may replace nothing.
    for (let tries = 0; tries < 20; tries++)
      if (Number(execFileSync(program('race'), [path, decoy, '3000', 'once'], { encoding: 'utf8' })) > 0) return;
    assert.fail('no run replaced a descriptor');
  });

  test('an open by a single-threaded process is reported once, as in the baseline', async () => {
    const path = at('lonely-file');
    writeFileSync(path, '');
    for (const call of ['open', 'openat', 'openat2', 'creat']) {
      const records = await sensor.run(program('open'), [call, path, String(constants.O_RDWR)]);
      const opens = opensOf(records, 'lonely-file');
      assert.equal(opens.length, 1, call);
      assert.equal(opens[0]?.fields['source_caller'], 0, call);
    }
  });

  test('an open with O_PATH is reported with the path of its descriptor', async () => {
    const path = at('path-file');
    writeFileSync(path, '');
    const O_PATH = 0o10000000;
    const opens = opensOf(await sensor.run(program('open'), ['openat', path, String(O_PATH)]), 'path-file');
    assert.equal(opens.length, 1);
  });

  test('a script is reported as the file that the kernel opened, or not at all', async () => {
    mkdirSync(at('scripts'));
    writeFileSync(at('scripts/run.sh'), `#!${program('terminate')} code\n`, { mode: 0o755 });
    symlinkSync('scripts/run.sh', at('innocent'));
    const [exec] = recordsOf(await sensor.run('../innocent', ['0'], { cwd: at('scripts') }), 'rf_exec');
    const words = ['path', 'filename', 'script'].map((name) => exec?.texts[name]?.bytes.toString());
    assert.deepEqual(words, [program('terminate'), '../innocent', full ? at('scripts/run.sh') : '']);
    const { inode, ctime, device } = fileFacts(at('scripts/run.sh'));
    const file = ['inode', 'ctime', 'device'].map((name) => exec?.fields[`script_${name}`]);
    assert.deepEqual(file, full ? [inode, ctime, device] : [0n, 0n, 0]);
  });

  test('a path that another thread rewrites during the call is reported as used by the kernel, or marked', async () => {
    const paths = [at('made-a'), at('made-b')];
    const { counts, records } = await race('rf_file_change', 'mkdir', ...paths, String(CHANGES));
    assertKernelValues(
      records.filter(({ fields }) => fields['operation'] === FILE.MKDIR),
      paths,
      counts,
    );
  });

  test('a descriptor that another thread replaces during a change is reported as the changed file, or marked', async () => {
    const [path, decoy] = [at('changed'), at('not-changed')];
    for (const file of [path, decoy]) writeFileSync(file, '');
    const { records } = await race('rf_file_change', 'fchmod', path, decoy, String(CHANGES));
    const changes = records.filter(({ fields }) => fields['operation'] === FILE.CHMOD);
    assert.ok(changes.length > 0);
    for (const { fields, texts } of changes) {
      assert.equal(fields['source_caller'], full ? 0 : 1);
      if (!full) continue;
      const path = texts['path']?.bytes.toString() ?? '';
      assert.equal(fields['inode'], fileFacts(path).inode);
    }
  });

  test('a unix socket path that another thread rewrites is reported as bound by the kernel, or marked', async () => {
    const paths = [at('bound-a'), at('bound-b')];
    const { counts, records } = await race('rf_socket', 'bind', ...paths, String(CHANGES));
    // The baseline reads the bound path from the socket of a descriptor that another thread could have replaced.
    assertKernelValues(records, paths, counts);
  });

  test('a datagram address that another process rewrites is reported as used by the kernel, or marked', async () => {
    const paths = [at('sent-a'), at('sent-b')];
    const { counts, records } = await race('rf_datagram', 'send', ...paths, String(CHANGES));
    const raced = records.filter(({ texts }) => !texts['path']?.bytes.toString().endsWith('.2'));
    assert.equal(raced.length, CHANGES);
    for (const { fields } of records) assert.equal(fields['source_caller'], unixHook ? 0 : 1);
    if (!unixHook) return;
    const reported = raced.map(({ texts }) => texts['path']?.bytes.toString());
    assert.deepEqual(
      paths.map((path) => reported.filter((candidate) => candidate === path).length),
      counts,
    );
  });

  describe('connections', () => {
    const servers: Server[] = [];
    const ports: number[] = [];
    before(async () => {
      for (let number = 0; number < 2; number++) {
        const server = createServer((socket) => socket.on('error', () => {}).resume());
        servers.push(server);
        await once(server.listen(0, '127.0.0.1'), 'listening');
        ports.push((server.address() as AddressInfo).port);
      }
    });
    after(() => {
      for (const server of servers) server.close();
    });

    /** IPv4 addresses are the kernel's in the baseline as well, because cgroup hooks pass its copy. */
    async function connects(call: string): Promise<{ counts: number[]; reported: number[] }> {
      const { counts, records } = await race('rf_connect', call, ...ports.map(String), String(CHANGES));
      const made = records.filter(({ fields }) => fields['result'] === 0);
      for (const { fields } of made) assert.equal(fields['source_caller'], 0);
      return { counts, reported: ports.map((port) => made.filter(({ fields }) => fields['port'] === port).length) };
    }

    test('a port that another thread rewrites is reported as used by the kernel', async () => {
      const { counts, reported } = await connects('connect');
      assert.deepEqual(reported, counts);
    });

    test('a socket that another thread replaces neither hides a connection nor is reported as connected', async () => {
      const { counts, reported } = await connects('connect-dup2');
      // the replacing socket connects once
      assert.deepEqual(reported, [counts[0], 1]);
    });
  });

  describe('kernel paths of file changes', { skip }, () => {
    /** The calls use a symbolic link or `..`. The kernel's path has neither. */
    const CALLS: readonly (readonly [words: string, path: string, target?: string])[] = [
      ['mkdir alias/new 755', 'real/new'],
      ['rmdir alias/../alias/new', 'real/new'],
      ['mkdirat alias new 755', 'real/new'],
      ['unlinkat-directory alias new', 'real/new'],
      ['chmod alias/link 640', 'real/file'],
      ['fchmod alias/link 640', 'real/file'],
      ['fchmodat alias file 640', 'real/file'],
      ['chown alias/link 1 1', 'real/file'],
      ['lchown alias/link 1 1', 'real/link'],
      ['fchown alias/link 1 1', 'real/file'],
      ['setxattr alias/link security.capability', 'real/file', 'security.capability'],
      ['fsetxattr alias/link security.capability', 'real/file', 'security.capability'],
      ['lremovexattr alias/file security.capability', 'real/file', 'security.capability'],
      ['truncate alias/link 3', 'real/file'],
      ['ftruncate alias/link 3', 'real/file'],
      ['mknod alias/node 10644 0 0', 'real/node'],
      ['unlink alias/node', 'real/node'],
      ['symlink ../to/./where alias/soft', 'real/soft', '../to/./where'],
      ['link alias/file alias/hard', 'real/file', 'real/hard'],
      ['rename alias/hard alias/soft', 'real/hard', 'real/soft'],
      ['renameat2 cwd alias/soft cwd alias/file 2', 'real/soft', 'real/file'],
    ];

    test('each call is reported with the paths that it changed', async () => {
      const real = at('real');
      rmSync(real, { recursive: true, force: true });
      mkdirSync(real);
      symlinkSync('real', at('alias'));
      symlinkSync('file', join(real, 'link'));
      writeFileSync(join(real, 'file'), 'content');
      for (const [words, path, target = ''] of CALLS) {
        const records = await sensor.run(program('change'), words.split(' '), { cwd: scratch.path });
        const [record, ...rest] = recordsOf(records, 'rf_file_change');
        assert.equal(rest.length, 0, words);
        const { texts, fields } = record ?? assert.fail(words);
        const full = (name: string): string => (name.startsWith('real/') ? at(name) : name);
        assert.deepEqual(
          [texts['path']?.bytes.toString(), texts['target']?.bytes.toString(), fields['source_caller']],
          [full(path), full(target), 0],
          words,
        );
        if (words.startsWith('chmod')) assert.equal(fields['inode'], fileFacts(at(path)).inode);
      }
    });

    test('mounts are reported with the paths that the kernel resolved', async () => {
      mkdirSync(at('real/point'), { recursive: true });
      mkdirSync(at('real/other'), { recursive: true });
      const link = at('alias');
      const calls: readonly (readonly [words: string, expected: readonly string[], caller: number])[] = [
        [`mount some ${link}/point tmpfs 0 size=1m`, [at('real/point'), 'some', 'tmpfs', 'size=1m'], 0],
        [`mount some ${link}/point tmpfs 0 - , umount ${link}/point 0`, [at('real/point'), '', '', ''], 0],
        // the kernel looks up the source of a bind mount after the hook
        [`mount ${link}/other ${link}/point - 4096 -`, [at('real/point'), `${link}/other`, '', ''], 1],
        [`chroot ${link}/point`, [at('real/point'), '', '', ''], 0],
      ];
      for (const [words, expected, caller] of calls) {
        const records = await sensor.run(program('mount'), words.split(' '));
        // The program makes its mounts private first.
        const { texts, fields } = lastOf(records, 'rf_mount_change', 1 + words.split(' , ').length);
        const names = ['target', 'source', 'filesystem', 'options'];
        assert.deepEqual(
          names.map((name) => texts[name]?.bytes.toString()),
          expected,
          words,
        );
        assert.equal(fields['source_caller'], caller, words);
      }
    });

    test("a call that fails before the kernel has found the file is reported with the caller's path", async () => {
      const words = ['unlink', 'alias/missing/file'];
      const [record] = recordsOf(await sensor.run(program('change'), words, { cwd: scratch.path }), 'rf_file_change');
      assert.equal(record?.texts['path']?.bytes.toString(), at('alias/missing/file'));
      assert.deepEqual([record?.fields['result'], record?.fields['source_caller']], [-ENOENT, 1]);
    });
  });
});
