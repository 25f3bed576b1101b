import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { USUAL_VARIABLES } from '@ringfence/sensor';
import { execOf, recordOf, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records, UNSET_ID } from '@ringfence/wire';
import { fileFacts, namespaces } from './expect.ts';

const { ExecFlag: FLAG, Stdio: STDIO } = records;
const REMOTE_STREAMS = STDIO.INPUT | STDIO.OUTPUT | STDIO.NETWORK_INPUT | STDIO.NETWORK_OUTPUT;
const nobody = 65534;

/** Process group and session of a process in its own pid namespace. */
function leadersOf(pid: number): { process_group: number; process_session: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { process_group: Number(group), process_session: Number(session) };
}

const text = (record: SensorRecord | undefined, name: string): string | undefined =>
  record?.texts[name]?.bytes.toString('latin1');

describe('exec on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  let run: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('terminate');
    run = scratch.compile('run');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  test('reports the process and its executable completely', async () => {
    const link = join(scratch.path, 'link');
    symlinkSync(program, link);
    const exec = recordOf(await sensor.run(link, ['code', '0'], { cwd: '/usr/bin', env: {} }), 'rf_exec');
    const { credentials, generation, ...fields } = exec.fields;
    assert.equal(typeof generation, 'number');
    assert.deepEqual(fields, {
      ...fileFacts(program),
      real_inode: 0n,
      real_device: 0,
      parent_tgid: process.pid,
      parent_start: sensor.snapshot(process.pid)[0]?.header.start,
      namespaces: { ...namespaces(), pid_in_ns: exec.header.tgid },
      flags: 0,
      loginuid: UNSET_ID,
      session_id: UNSET_ID,
      tty: 0,
      argc: 3,
      snapshot: 0,
      stdio_sockets: 0,
      ...leadersOf(process.pid),
      script_inode: 0n,
      script_device: 0,
      script_ctime: 0n,
    });
    const { cap_effective, cap_permitted, cap_inheritable, ...ids } = credentials as {
      [name: string]: number | bigint;
    };
    assert.deepEqual(ids, { uid: 0, gid: 0, euid: 0, egid: 0, suid: 0, sgid: 0, fsuid: 0, fsgid: 0 });
    assert.deepEqual([typeof cap_effective, cap_permitted, cap_inheritable], ['bigint', cap_effective, 0n]);
    assert.deepEqual(Object.fromEntries(Object.keys(exec.texts).map((name) => [name, text(exec, name)])), {
      path: program,
      filename: link,
      cwd: '/usr/bin',
      argv: `${link}\0code\x000`,
      environment: '',
      interpreter: '',
      script: '',
    });
    for (const { bytes, length } of Object.values(exec.texts)) assert.equal(bytes.length, length);
  });

  test('process group and session are numbers of the pid namespace', async () => {
    const script = `setsid -w ${program} code 0; setsid -w unshare --pid --fork ${program} code 0`;
    const execs = (await sensor.run('/bin/sh', ['-c', script])).filter(
      ({ type, texts }) => type === 'rf_exec' && texts['path']?.bytes.toString() === program,
    );
    const leaders = execs.map(({ fields }) => [fields['process_group'], fields['process_session']]);
    const own = execs[0]?.header.tgid;
    // The leader of the second one, unshare, is outside of its new namespace.
    assert.deepEqual(leaders, [
      [own, own],
      [0, 0],
    ]);
    assert.deepEqual(execs[1]?.fields['namespaces'], { ...(execs[1]?.fields['namespaces'] as object), pid_in_ns: 1 });
  });

  test('arguments that are not text are reported byte by byte', async () => {
    const exec = execOf(await sensor.run(run, ['raw', program]), program);
    assert.equal(text(exec, 'argv'), '\xff\xfe\0\x1b[31m\0two\nlines\0\0end');
    assert.equal(exec.fields['argc'], 5);
  });

  test('arguments of 32 KiB are complete, and longer ones are cut in the middle', async () => {
    const rest = `${program}\0code\x000\0`.length;
    const filler = (bytes: number): string => 'x'.repeat(bytes - rest - 1).concat('z');
    const whole = recordOf(await sensor.run(program, ['code', '0', filler(32_768)]), 'rf_exec').texts['argv'];
    assert.deepEqual([whole?.bytes.length, whole?.length], [32_768, 32_768]);
    assert.equal(whole?.bytes.at(-1), 'z'.charCodeAt(0));
    const cut = recordOf(await sensor.run(program, ['code', '0', filler(32_769)]), 'rf_exec').texts['argv'];
    assert.deepEqual([cut?.bytes.length, cut?.length], [32_768, 32_769]);
  });

  test('a megabyte of arguments is reported with its head, tail and length', async () => {
    const args = Array.from({ length: 1024 }, (_, index) => String(index).padStart(1023, '.'));
    const all = Buffer.from([program, 'code', '0', ...args].join('\0'));
    const exec = recordOf(await sensor.run(program, ['code', '0', ...args]), 'rf_exec');
    const argv = exec.texts['argv'];
    assert.equal(argv?.length, all.length);
    assert.deepEqual(argv?.bytes, Buffer.concat([all.subarray(0, 16_384), all.subarray(-16_384)]));
    assert.equal(exec.fields['argc'], 1027);
  });

  test('an executable that exists only in memory is marked', async () => {
    const exec = execOf(await sensor.run(run, ['memfd', program]), '/memfd:payload');
    assert.equal(exec.fields['flags'], FLAG.EXEC_MEMFD | FLAG.EXEC_DELETED);
    assert.match(text(exec, 'filename') ?? '', /^\/dev\/fd\/\d+$/);
  });

  test('an executable that was deleted before it ran is marked', async () => {
    const doomed = join(scratch.path, 'doomed');
    copyFileSync(program, doomed);
    const exec = execOf(await sensor.run(run, ['deleted', doomed]), doomed);
    assert.equal((exec.fields['flags'] as number) & ~FLAG.EXEC_MEMFD, FLAG.EXEC_DELETED);
  });

  test('a set-user-id executable is reported as raising privileges', async () => {
    chmodSync(scratch.path, 0o755);
    const raising = join(scratch.path, 'raising');
    copyFileSync(program, raising);
    chmodSync(raising, 0o4755);
    const exec = recordOf(await sensor.run(raising, ['code', '0'], { uid: nobody, gid: nobody }), 'rf_exec');
    assert.equal(exec.fields['flags'], FLAG.EXEC_SETUID | FLAG.EXEC_PRIVILEGED);
    const { uid, euid, gid, egid } = exec.fields['credentials'] as { [name: string]: number };
    assert.deepEqual({ uid, euid, gid, egid }, { uid: nobody, euid: 0, gid: nobody, egid: nobody });
  });

  test('a script is reported with its interpreter', async () => {
    const script = join(scratch.path, 'script');
    writeFileSync(script, `#!${program} code\n`, { mode: 0o755 });
    const exec = recordOf(await sensor.run(script, ['0']), 'rf_exec');
    assert.equal(exec.fields['flags'], FLAG.EXEC_SCRIPT);
    assert.equal(text(exec, 'filename'), script);
    assert.equal(text(exec, 'path'), program);
    assert.equal(text(exec, 'argv'), `${program}\0code\0${script}\x000`);
    assert.equal(text(exec, 'interpreter'), program);
  });

  test('a thread that executes a program takes over the identity of the process', async () => {
    const records = await sensor.run(scratch.compile('thread_exec'), [program]);
    const [first, second] = recordsOf(records, 'rf_exec');
    assert.ok(first && second);
    assert.deepEqual(
      [second.header.tgid, second.header.tid, second.header.start, second.header.exec_id],
      [first.header.tgid, first.header.tgid, first.header.start, first.header.exec_id + 1n],
    );
    recordOf(records, 'rf_exit');
  });

  test('sockets as standard streams and a controlling terminal are reported', async () => {
    // Node uses sockets as pipes.
    const piped = recordOf(await sensor.run(program, ['code', '0'], { stdio: ['ignore', 'pipe', 'pipe'] }), 'rf_exec');
    assert.equal(piped.fields['stdio_sockets'], 0b110);
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const remote = recordOf(await sensor.run(program, ['code', '0'], { stdio: [socket, socket, 'ignore'] }), 'rf_exec');
    assert.equal(remote.fields['stdio_sockets'], REMOTE_STREAMS, 'network sockets have separate flags');
    socket.destroy();
    server.close();
    const records = await sensor.run('script', ['-qec', `${program} code 0`, '/dev/null']);
    const inTerminal = execOf(records, program);
    assert.equal((inTerminal.fields['tty'] as number) >>> 20, 136, 'major number of a pseudo-terminal');
  });

  test('a path of 4,096 bytes is complete, and a longer one is cut in the middle', async () => {
    const deep = scratch.compile('deep');
    const component = 'c'.repeat(200);
    for (const length of [4096, 4097, 9000]) {
      // The first directory has the length that makes all following components equally long.
      const depth = Math.floor((length - scratch.path.length - 3) / 201);
      const base = join(scratch.path, 'd'.repeat(length - scratch.path.length - 1 - depth * 201));
      mkdirSync(base);
      const cwd = base + `/${component}`.repeat(depth);
      const exec = execOf(await sensor.run(deep, [base, component, String(depth), program]), program);
      const seen = exec.texts['cwd'];
      assert.equal(seen?.length, length);
      const expected = length <= 4096 ? cwd : cwd.slice(0, 2048) + cwd.slice(-2048);
      assert.equal(seen?.bytes.toString(), expected);
    }
  });

  async function environment(env: { [name: string]: string }): Promise<{ bytes: string; length: number }> {
    const exec = recordOf(await sensor.run(program, ['code', '0'], { env }), 'rf_exec');
    const seen = exec.texts['environment'];
    return { bytes: seen?.bytes.toString('latin1') ?? '', length: seen?.length ?? -1 };
  }

  test("environment variables that change a program's behaviour are reported, and no others", async () => {
    const chosen = {
      LD_PRELOAD: '/tmp/evil.so',
      LD_AUDIT: '',
      LD_LIBRARY_PATH: '/tmp',
      GLIBC_TUNABLES: 'glibc.malloc.mxfast=1',
      GCONV_PATH: '.',
      BASH_ENV: '/tmp/env',
      ENV: '/tmp/env',
      PROMPT_COMMAND: 'id',
      PYTHONPATH: '/tmp/py',
      PYTHONSTARTUP: '/tmp/start.py',
      PYTHONHOME: '/tmp',
      PERL5LIB: '/tmp',
      PERL5OPT: '-d',
      PERL5DB: 'system("id")',
      RUBYOPT: '-r/tmp/x',
      RUBYLIB: '/tmp',
      NODE_OPTIONS: '--require /tmp/x.js',
      NODE_PATH: '/tmp',
      JAVA_TOOL_OPTIONS: '-javaagent:/tmp/x.jar',
      _JAVA_OPTIONS: '-javaagent:/tmp/x.jar',
      LUA_INIT: '@/tmp/x.lua',
      GIT_SSH_COMMAND: 'sh',
      HISTFILE: '/dev/null',
      HISTSIZE: '0',
      SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22',
      SUDO_USER: 'me',
    };
    const ignored = { PATH: '/bin', LD_PRELOADED: 'x', LD_PRELOA: 'x', XLD_PRELOAD: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
    assert.deepEqual(Object.keys(chosen), [...USUAL_VARIABLES]);
    const words = Object.entries(chosen).map(([name, value]) => `${name}=${value}`);
    const { bytes, length } = await environment({ A: '1', ...ignored, ...chosen, ZZ: '2' });
    assert.deepEqual(bytes.split('\0'), words);
    assert.equal(length, bytes.length);
    assert.deepEqual(await environment(ignored), { bytes: '', length: 0 });
  });

  test('a variable is found behind long ones, and reported up to 8 KiB, with its true length', async () => {
    for (const filler of [4094, 4095, 4096, 8190, 8191, 8192, 30_000]) {
      const found = await environment({ F: 'x'.repeat(filler - 2), LD_PRELOAD: 'a.so' });
      assert.deepEqual(found, { bytes: 'LD_PRELOAD=a.so', length: 15 }, String(filler));
    }
    for (const bytes of [8190, 8191, 8192]) {
      const value = `LD_PRELOAD=${'y'.repeat(bytes - 11)}`;
      assert.deepEqual(await environment({ LD_PRELOAD: value.slice(11) }), { bytes: value, length: bytes });
    }
    const long = await environment({ ENV: 'x', LD_PRELOAD: 'z'.repeat(9000), HISTFILE: 'h' });
    const whole = `ENV=x\0LD_PRELOAD=${'z'.repeat(9000)}\0HISTFILE=h`;
    assert.deepEqual(long, { bytes: whole.slice(0, 8192), length: whole.length });
  });

  test('an executable with file capabilities is reported as raising privileges', async () => {
    chmodSync(scratch.path, 0o755);
    const capable = join(scratch.path, 'capable');
    copyFileSync(program, capable);
    execFileSync(scratch.compile('filecaps'), [capable]);
    const raised = recordOf(await sensor.run(capable, ['code', '0'], { uid: nobody, gid: nobody }), 'rf_exec');
    assert.equal(raised.fields['flags'], FLAG.EXEC_PRIVILEGED | FLAG.EXEC_FILE_CAPS);
    assert.equal((raised.fields['credentials'] as { cap_permitted: bigint }).cap_permitted, 1n << 13n);
    const byRoot = recordOf(await sensor.run(capable, ['code', '0']), 'rf_exec');
    assert.equal(Number(byRoot.fields['flags']) & FLAG.EXEC_FILE_CAPS, 0, 'root has these capabilities already');
  });

  test('an executable written to an overlay is distinguished from one of the image below', async (context) => {
    const [lower, merged, memory] = ['lower', 'merged', 'memory'].map((name) => join(scratch.path, name));
    assert.ok(lower && merged && memory);
    for (const directory of [lower, merged, memory]) mkdirSync(directory);
    copyFileSync(program, join(lower, 'image'));
    const script = `mount -t tmpfs none ${memory} && cd ${memory} && mkdir upper work || exit 70
      mount -t overlay overlay -o lowerdir=${lower},upperdir=$PWD/upper,workdir=$PWD/work ${merged} || exit 71
      cp ${merged}/image ${merged}/written; ${merged}/image code 1; exec ${merged}/written code 0`;
    const records = await sensor.run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]);
    const shell = recordOf(records.slice(0, 1), 'rf_fork').header.tgid;
    const ended = recordsOf(records, 'rf_exit').filter(({ header }) => header.tgid === shell);
    if (recordOf(ended, 'rf_exit').fields['code'] === 71) return context.skip('this kernel cannot mount an overlay');
    const ran = (name: string): number =>
      Number(recordsOf(records, 'rf_exec').find((exec) => text(exec, 'path') === join(merged, name))?.fields['flags']);
    assert.deepEqual([ran('image') & FLAG.EXEC_UPPER, ran('written') & FLAG.EXEC_UPPER], [0, FLAG.EXEC_UPPER]);
  });
});
