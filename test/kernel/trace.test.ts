import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSensor } from '@ringfence/sensor/build';
import { cgroup2, Scratch, skip } from '@ringfence/testkit/sensor';

const MAIN = join(import.meta.dirname, '../../cli/src/main.ts');
const NODE = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', MAIN, 'trace'];

const PROGRAMS: ReadonlySet<string> = new Set(['trace_enter', 'trace_exit', 'trace_fork', 'trace_gone']);

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Line {
  readonly pid: number;
  readonly process: string;
  readonly syscall?: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly cut: readonly string[];
  readonly result: number | null;
  readonly error: string | null;
  readonly durationNs: number | null;
  readonly exit?: number | null;
}

function start(args: readonly string[], options: SpawnOptions = {}): { child: ChildProcess; done: Promise<Run> } {
  const child = spawn(process.execPath, [...NODE, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const out = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    out.stdout += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    out.stderr += chunk;
  });
  return { child, done: once(child, 'close').then(([code]) => ({ code: code as number | null, ...out })) };
}

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

/** Returns the number of tracer programs that are loaded in the kernel. */
function tracersLoaded(): number {
  const programs = JSON.parse(execFileSync('bpftool', ['prog', 'list', '-j']).toString()) as { name?: string }[];
  return programs.filter(({ name }) => PROGRAMS.has(name ?? '')).length;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(20);
}

describe('ringfence trace on the running kernel', { skip, timeout: 400_000 }, () => {
  let scratch: Scratch;
  let traced: string;
  let loadedBefore: number;
  before(async () => {
    await buildSensor();
    scratch = new Scratch();
    traced = scratch.compile('traced');
    loadedBefore = tracersLoaded();
  });
  after(() => scratch?.[Symbol.dispose]());
  // The kernel frees a program some time after its last reference is gone.
  beforeEach(() => until(() => tracersLoaded() === loadedBefore));

  async function traceJson(args: readonly string[]): Promise<{ run: Run; lines: Line[] }> {
    const file = join(scratch.path, 'lines');
    const run = await start(['--json', '--output', file, ...args]).done;
    return { run, lines: linesOf(readFileSync(file, 'utf8')) };
  }

  test('traces a command from its exec to its exit, and exits with its exit code', async () => {
    const { run, lines } = await traceJson(['--', traced]);
    assert.equal(run.code, 42, run.stderr);
    assert.equal(run.stderr, '');
    assert.equal(lines[0]?.syscall, 'execve');
    assert.deepEqual(lines[0]?.arguments['argv'], [traced]);
    assert.equal(lines[0]?.result, 0);
    assert.equal(lines.at(-2)?.syscall, 'exit_group');
    assert.equal(lines.at(-2)?.result, null);
    assert.deepEqual([lines.at(-1)?.exit, lines.at(-1)?.process], [42, 'traced']);
    for (const line of lines.slice(0, -2)) assert.ok((line.durationNs ?? 0) > 0, JSON.stringify(line));
  });

  test('names arguments and errors, and decodes values', async () => {
    const { lines } = await traceJson(['--', traced]);
    const testCalls = lines.slice(
      lines.findIndex(({ arguments: { filename } }) => String(filename).startsWith('/nowhere')),
    );
    const shown = testCalls.map(({ syscall, arguments: args, result, error }) => ({ syscall, args, result, error }));
    const at = (index: number) => shown[index];
    assert.deepEqual(at(0), {
      syscall: 'openat',
      args: { dfd: 'AT_FDCWD', filename: '/nowhere/\x1b[31m"red"', flags: 'O_RDONLY|O_CLOEXEC', mode: '0' },
      result: -2,
      error: 'ENOENT',
    });
    assert.deepEqual(at(1)?.args['filename'], 'x'.repeat(255));
    assert.deepEqual(testCalls[1]?.cut, ['filename']);
    assert.equal(at(1)?.error, 'ENAMETOOLONG');
    assert.deepEqual([at(2)?.args['filename'], at(2)?.error], ['0x8', 'EFAULT']);
    assert.equal(at(3)?.args['flags'], 'O_RDWR');
    const fd = at(3)?.result;
    assert.deepEqual(at(4), { syscall: 'read', args: { fd, buf: '\0\0\0\0\0', count: 5 }, result: 5, error: null });
    assert.deepEqual(at(5), {
      syscall: 'write',
      args: { fd, buf: 'hello\nworld', count: 11 },
      result: 11,
      error: null,
    });
    assert.deepEqual(at(6)?.args, { dfd: 'AT_FDCWD', pathname: '/proc/none', mode: '0750' });
    assert.deepEqual(at(7)?.args, {
      addr: 0,
      len: 4096,
      prot: 'PROT_READ|PROT_WRITE',
      flags: 'MAP_PRIVATE|MAP_ANONYMOUS',
      fd: -1,
      off: 0,
    });
    assert.deepEqual(at(8)?.args, { family: 'AF_INET', type: 'SOCK_DGRAM|SOCK_CLOEXEC', protocol: 0 });
    assert.deepEqual(at(9)?.args['uservaddr'], '{AF_INET 127.0.0.1:9}');
    assert.deepEqual(at(10), { syscall: 'close', args: { fd: -1 }, result: -9, error: 'EBADF' });
  });

  test('prints readable lines, and escapes control characters of the traced program', async () => {
    const run = await start(['--syscall', 'openat,close', '--', traced]).done;
    assert.equal(run.stdout, '');
    const lines = run.stderr.split('\n').filter((line) => !line.includes('/etc/ld.so') && !line.includes('/lib/'));
    const [first] = lines.filter((line) => line.includes('nowhere'));
    assert.match(
      first ?? '',
      /^\d\d:\d\d:\d\d\.\d{6} \[\d+ traced\] openat\(dfd: AT_FDCWD, filename: "\/nowhere\/\\x1b\[31m\\"red\\"", flags: O_RDONLY\|O_CLOEXEC, mode: 0\) = -1 ENOENT \(no such file or directory\) <[\d.]+ [nµm]?s>$/,
    );
    assert.match(lines.find((line) => line.includes('xxx')) ?? '', /"x{255}"…, flags/);
    assert.match(lines.at(-2) ?? '', /\+\+\+ exited with 42 \+\+\+$/);
    assert.ok(!run.stderr.includes('\x1b'));
  });

  test('traces only the system calls of --syscall, and suggests names for a misspelt one', async () => {
    const { lines } = await traceJson(['--syscall', 'mkdirat,connect', '--', traced]);
    assert.deepEqual(
      lines.map(({ syscall, exit }) => syscall ?? exit),
      ['mkdirat', 'connect', 42],
    );
    const wrong = await start(['--syscall', 'opena', '--', traced]).done;
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /--syscall opena: there is no such system call; did you mean .*openat/);
  });

  test('traces children, and no unrelated processes', async () => {
    const unrelated = spawn(traced, ['wait'], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      const feed = setInterval(() => unrelated.stdin.write('x'), 5);
      const { lines } = await traceJson(['--syscall', 'chdir', '--', traced, 'tree']);
      clearInterval(feed);
      const calls = lines.filter(({ syscall }) => syscall === 'chdir');
      assert.deepEqual(calls.map(({ arguments: { filename } }) => filename).sort(), ['/proc/first', '/proc/second']);
      assert.equal(new Set(calls.map(({ pid }) => pid)).size, 2);
      assert.deepEqual(
        lines
          .filter(({ exit }) => exit !== undefined)
          .map(({ exit }) => exit)
          .sort(),
        [0, 3, 4],
      );
    } finally {
      unrelated.kill();
      await once(unrelated, 'exit');
    }
  });

  test('prints counts and errors per system call with --summary', async () => {
    const { lines } = await traceJson(['--summary', '--', traced]);
    const rows = lines as unknown as { syscall: string; calls: number; errors: number; timeNs: number }[];
    const row = (name: string) => rows.find(({ syscall }) => syscall === name);
    assert.deepEqual([row('connect')?.calls, row('connect')?.errors], [1, 0]);
    assert.deepEqual([row('mkdirat')?.calls, row('mkdirat')?.errors], [1, 1]);
    assert.ok((row('openat')?.errors ?? 0) >= 3);
    assert.ok((row('openat')?.timeNs ?? 0) > 0);
    const table = await start(['--summary', '--syscall', 'mkdirat', '--', traced]).done;
    assert.match(
      table.stderr,
      /% time +seconds +µs\/call +calls +errors syscall\n100\.00 .* 1 +1 mkdirat\n100\.00 .* 1 +1 total\n$/,
    );
  });

  test('traces a running process until it exits', async () => {
    const target = spawn(traced, ['wait'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const file = join(scratch.path, 'running');
    const { done } = start(['--json', '--output', file, '--pid', String(target.pid)]);
    await until(() => tracersLoaded() > loadedBefore);
    const feed = setInterval(() => target.stdin.write('x'), 20);
    await until(() => existsSync(file) && readFileSync(file, 'utf8').includes('/proc/waited'));
    clearInterval(feed);
    target.stdin.end();
    assert.equal((await done).code, 0);
    const lines = linesOf(readFileSync(file, 'utf8'));
    assert.ok(lines.every(({ pid }) => pid === target.pid));
    assert.equal(lines.at(-1)?.exit, 0);
  });

  test('traces a cgroup until Ctrl-C, and shows calls that have not returned by then', async () => {
    const cgroup = join(cgroup2() ?? '', `ringfence-trace-test-${process.pid}`);
    mkdirSync(cgroup);
    const target = spawn(traced, ['wait'], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      writeFileSync(join(cgroup, 'cgroup.procs'), String(target.pid));
      const { child, done } = start(['--json', '--cgroup', cgroup]);
      let seen = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        seen += chunk;
      });
      await until(() => tracersLoaded() > loadedBefore);
      const feed = setInterval(() => target.stdin.write('x'), 20);
      await until(() => seen.includes('/proc/waited'));
      clearInterval(feed);
      // Wait until the process blocks in a read that began after the tracer was attached.
      await sleep(100);
      child.kill('SIGINT');
      const run = await done;
      assert.equal(run.code, 0, run.stderr);
      const lines = linesOf(run.stdout);
      assert.ok(lines.every(({ pid }) => pid === target.pid));
      assert.deepEqual([lines.at(-1)?.syscall, lines.at(-1)?.result], ['read', null]);
    } finally {
      target.kill();
      await once(target, 'exit');
      rmdirSync(cgroup);
    }
  });

  test('finds a container by the name in its announcement file', async () => {
    const name = `trace-test-${process.pid}`;
    const cgroup = join(cgroup2() ?? '', name);
    const runDir = join(scratch.path, 'run');
    mkdirSync(join(runDir, 'containers.d'), { recursive: true });
    writeFileSync(
      join(runDir, 'containers.d/one.json'),
      JSON.stringify({ cgroupPath: `/${name}`, id: 'abcdef0123', name: 'shop-1' }),
    );
    mkdirSync(cgroup);
    try {
      const settings = ['--set', `runDir=${runDir}`];
      for (const wanted of ['shop-1', 'abcdef0']) {
        await until(() => tracersLoaded() === loadedBefore);
        const { child, done } = start(['--container', wanted, ...settings]);
        await until(() => tracersLoaded() > loadedBefore || child.exitCode !== null);
        child.kill('SIGTERM');
        assert.equal((await done).code, 0);
      }
      const none = await start(['--container', 'shop-2', ...settings]).done;
      assert.match(none.stderr, /no running container has this id or name/);
      assert.equal(none.code, 1);
    } finally {
      rmdirSync(cgroup);
    }
  });

  test('leaves no program loaded, even after SIGKILL', async () => {
    const target = spawn(traced, ['wait'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const { child, done } = start(['--pid', String(target.pid)]);
    await until(() => tracersLoaded() === loadedBefore + 4);
    child.kill('SIGKILL');
    await done;
    target.kill();
    await until(() => tracersLoaded() === loadedBefore);
  });

  test('explains why a target cannot be traced, and what to do', async () => {
    const none = await start([]).done;
    assert.equal(none.code, 1);
    assert.match(none.stderr, /exactly one of --pid, --cgroup, --container or a command/);
    assert.match((await start(['--pid', '4194303']).done).stderr, /no such process/);
    assert.match((await start(['--', 'no-such-program-here']).done).stderr, /there is no such program in PATH/);
    assert.match((await start(['--cgroup', '/none']).done).stderr, /neither this path nor .* is a cgroup/);
  });
});
