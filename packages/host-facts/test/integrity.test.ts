import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BARRIER_OBJECT, Barrier, barrierPins } from '@ringfence/barrier';
import { silentLog } from '@ringfence/base';
import type { CheckName, Finding } from '@ringfence/host-kit';
import { BpfObject } from '@ringfence/libbpf-ts';
import { buildSensor } from '@ringfence/sensor/build';
import { bodyOf, kernelSkip, memoryBus, readEvents, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import type { CheckResult } from '../src/integrity/check.ts';
import { checkIntegrity, type Integrity } from '../src/integrity/integrity.ts';
import { checkModules } from '../src/integrity/modules.ts';
import { integritySource } from '../src/integrity/source.ts';
import { Symbols } from '../src/integrity/symbols.ts';

const BOOT = 'this boot';

/** A directory that looks like a host's file system. */
class Root implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-integrity-'));

  write(path: string, text: string): string {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

function findingsOf({ checks }: Integrity, check: CheckName): string[] {
  return resultOf(checks, check).findings.map(({ subject, detail }) => `${subject}: ${detail}`);
}

function resultOf(checks: readonly CheckResult[], check: CheckName): CheckResult {
  const found = checks.find((candidate) => candidate.check === check);
  assert.ok(found, check);
  return found;
}

describe('the integrity check on the running kernel', { skip: kernelSkip() }, () => {
  let sensorObject = '';
  let root: Root;
  before(async () => {
    sensorObject = await buildSensor();
    root = new Root();
    symlinkSync('/proc', join(root.path, 'proc'));
  });
  after(() => root?.[Symbol.dispose]());

  const runCheck = (remembered?: Integrity['remembered'], path = '/'): Integrity =>
    checkIntegrity({
      sensorObject,
      pinPath: '/sys/fs/bpf/rf-none',
      bootId: BOOT,
      knownPrograms: [],
      root: path,
      before: remembered,
    });

  test("reads the kernel's code, which is the same in the next run", () => {
    const first = runCheck();
    assert.equal(resultOf(first.checks, 'syscall-dispatch').unseen, '');
    assert.ok(Object.keys(first.remembered.code).length > 300);
    const second = runCheck(first.remembered);
    assert.deepEqual(findingsOf(second, 'syscall-dispatch'), findingsOf(first, 'syscall-dispatch'));
    assert.deepEqual(findingsOf(second, 'interrupt-table'), []);
  });

  test('finds code that changed within a boot, and does not compare code of different boots', () => {
    const { code, ...rest } = runCheck().remembered;
    const changed = { ...rest, code: { ...code, __x64_sys_getpid: 'another', __arm64_sys_getpid: 'another' } };
    const [finding] = findingsOf(runCheck(changed), 'syscall-dispatch').filter((text) => text.includes('getpid'));
    assert.match(finding ?? '', /its code has changed since/);
    const later = runCheck({ ...changed, bootId: 'another boot' });
    assert.deepEqual(
      findingsOf(later, 'syscall-dispatch').filter((text) => text.includes('getpid')),
      [],
    );
  });

  test('finds a BPF program of another process, with the process that holds it, until the program is known', async () => {
    const object = BpfObject.open(sensorObject);
    for (const program of object.programs.values()) program.autoload = program.name === 'process_exit';
    for (const ring of ['rf_ring_security', 'rf_ring_bulk']) object.definition(ring).resize(4096);
    object.load();
    const { id } = object.program('process_exit');
    // Compare subjects only: the detail of another program may contain a process with this number.
    const about = (found: Integrity): string[] =>
      findingsOf(found, 'bpf-program').filter((text) => text.slice(0, text.indexOf(': ')).includes(`(${id})`));
    const [finding] = about(runCheck());
    assert.match(finding ?? '', new RegExp(`process_exit.*tracing.*uid 0.*\\(${process.pid}\\)`));
    const known = { sensorObject, pinPath: '/sys/fs/bpf/rf-none', bootId: BOOT, knownPrograms: ['process_*'] };
    assert.deepEqual(about(checkIntegrity(known)), []);
    object[Symbol.dispose]();
    // A concurrent check, such as that of an agent beside this test, holds the program a moment longer.
    for (const end = performance.now() + 10_000; about(runCheck()).length > 0 && performance.now() < end; )
      await sleep(100);
    assert.deepEqual(about(runCheck()), []);
  });

  test('knows the programs of the network by their pins', () => {
    using stack = new DisposableStack();
    const pinPath = mkdtempSync(`/sys/fs/bpf/rf-test-${process.pid}-`);
    stack.defer(() => rmSync(pinPath, { recursive: true }));
    const pins = barrierPins(pinPath);
    const objectPath = join(dirname(sensorObject), BARRIER_OBJECT);
    const barrier = stack.use(Barrier.open({ objectPath, pins, cgroupRoot: '/', agents: [] }, []));
    assert.equal(barrier.isAttached, false);
    const about = (path: string): string[] =>
      findingsOf(
        checkIntegrity({ sensorObject, pinPath: path, bootId: BOOT, knownPrograms: [] }),
        'bpf-program',
      ).filter((text) => text.includes('barrier_') && text.includes(`(${process.pid})`));
    assert.deepEqual(about(pinPath), []);
    assert.equal(about('/sys/fs/bpf/rf-none').length > 0, true);
  });

  test('finds a process that a mount hides, and finds none in another pid namespace', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      // Mounts an empty directory on the process in a new mount namespace, and runs the check there.
      const script = `
        import { checkProcesses } from '${join(import.meta.dirname, '../src/integrity/processes.ts')}';
        import { KernelView } from '${join(import.meta.dirname, '../src/integrity/kernel-view.ts')}';
        using view = new KernelView('${sensorObject}');
        console.log(JSON.stringify(checkProcesses(() => view.tgids(), '/')));`;
      const node = `${process.execPath} --conditions=@ringfence/source --input-type=module -e "$1"`;
      const run = (prepare: string, ...more: string[]): CheckResult =>
        JSON.parse(
          execFileSync('unshare', ['-m', ...more, 'sh', '-c', `${prepare}; ${node}`, 'sh', script], {
            encoding: 'utf8',
          }),
        );
      const mounted = run(`mount -t tmpfs none /proc/${child.pid}`).findings;
      assert.deepEqual(
        mounted.map(({ subject }) => subject),
        [`process ${child.pid}`],
      );
      assert.match(mounted[0]?.detail ?? '', /mounted on/);
      assert.deepEqual(run('true').findings, []);
      const isolated = run('true', '-pf', '--mount-proc');
      assert.deepEqual(isolated.findings, [], 'pids of two namespaces are not compared');
      assert.match(isolated.unseen, /pid namespace/);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  test('finds untrusted programs that the kernel starts, preloaded libraries, and changed settings', () => {
    using host = new Root();
    host.write('etc/ld.so.preload', '# comment\n/usr/lib/libx.so:/tmp/evil.so\n');
    host.write('proc/sys/kernel/tainted', `${(1 << 12) | (1 << 13)}\n`);
    host.write('proc/sys/kernel/core_pattern', '|/usr/lib/coredump %P\n');
    chmodSync(host.write('usr/lib/coredump', ''), 0o755);
    host.write('proc/sys/kernel/modprobe', '/tmp/x\n');
    chmodSync(host.write('tmp/x', ''), 0o777);
    mkdirSync(join(host.path, 'sbin'));
    symlinkSync('/usr/bin/systemctl', join(host.path, 'sbin/poweroff'));
    chmodSync(host.write('usr/bin/systemctl', ''), 0o755);
    host.write('proc/sys/kernel/poweroff_cmd', '/sbin/poweroff\n');
    const first = runCheck(undefined, host.path);
    assert.deepEqual(
      findingsOf(first, 'preload').map((text) => text.split(':')[0]),
      ['/usr/lib/libx.so', '/tmp/evil.so'],
    );
    assert.deepEqual(findingsOf(first, 'taint').length, 2);
    assert.deepEqual(findingsOf(first, 'core-pattern'), []);
    assert.deepEqual(findingsOf(first, 'helper'), [
      '/proc/sys/kernel/modprobe: the kernel starts /tmp/x: users other than root can write to it',
    ]);
    host.write('proc/sys/kernel/core_pattern', '|/tmp/gone %P\n');
    const second = runCheck(first.remembered, host.path);
    assert.deepEqual(findingsOf(second, 'core-pattern'), [
      '/proc/sys/kernel/core_pattern: core dumps go to /tmp/gone: there is no such file',
      '/proc/sys/kernel/core_pattern: was "|/usr/lib/coredump %P" and is "|/tmp/gone %P"',
    ]);
  });

  test('finds modules that are missing from the list of modules', () => {
    using host = new Root();
    host.write('proc/modules', 'seen 16384 0 - Live 0x0\n');
    host.write('sys/module/seen/initstate', 'live\n');
    host.write('sys/module/diamorphine/initstate', 'live\n');
    host.write('sys/module/builtin/parameters/x', '1\n');
    host.write('sys/kernel/tracing/available_filter_functions', 'do_exit\nf [seen]\ng [ghost]\nh [ghost]\np [bpf]\n');
    const symbols = new Symbols(
      'ffffffffc0000000 t hook\t[rooty]\nffffffffc0001000 t f\t[seen]\nffffffffc0002000 t bpf_prog_1\t[bpf]\n',
    );
    // Must not depend on the BPF programs that are loaded.
    assert.equal(symbols.describe(0xffffffffc0002800n), '0xffffffffc0002800 (module seen)');
    assert.equal(symbols.describe(0xffffffffc0002000n), '0xffffffffc0002000 (BPF code bpf_prog_1)');
    assert.equal(symbols.describe(0xffffffffb0000000n), '0xffffffffb0000000 (unknown owner)');
    const { findings, unseen } = checkModules(symbols, host.path);
    assert.equal(unseen, '');
    assert.deepEqual(
      findings.map(({ subject }) => subject),
      ['diamorphine', 'rooty', 'ghost'],
    );
  });

  test("reports findings even if its state can't be saved, as on a full disk, and what the kernel hides in one list", async () => {
    const warnings: string[] = [];
    const findings: Finding[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
    using host = new Root();
    host.write('etc/ld.so.preload', '/evil.so\n');
    host.write('proc/modules', '');
    for (let n = 0; n < 40; n++) host.write(`sys/module/rk${n}/initstate`, 'live\n');
    const stateDir = join(host.path, 'absent');
    const options = { sensorObject, pinPath: '/sys/fs/bpf/rf-none', bootId: BOOT, stateDir, everyMs: 1 };
    const source = integritySource({ ...options, root: host.path, knownPrograms: [], log });
    const ignore = (): void => undefined;
    const sink = { user: ignore, container: ignore, mount: ignore, host: ignore, throttled: ignore };
    source.start({ ...sink, finding: (finding) => findings.push(finding) });
    try {
      for (const end = performance.now() + 60_000; findings.length === 0 && performance.now() < end; await sleep(20))
        source.tick();
      assert.ok(findings.length > 0);
      assert.match(warnings[0] ?? '', /could not be saved/);
      const hidden = findings.filter(({ check }) => check === 'hidden-module');
      assert.equal(hidden.length, 40);
      // Other checks of this kernel may have findings of the same kind, too.
      const lists = findings.flatMap(({ list }) => list ?? []);
      assert.equal(lists.length, 1, 'one finding has the list of all');
      const [first = '', ...others] = lists[0]?.split('; ') ?? [];
      assert.ok(first.startsWith(`${findings.find(({ list }) => list !== undefined)?.check} `));
      assert.equal(others.length, 32);
      assert.match(others.at(-1) ?? '', /^and \d+ more$/);
      assert.ok(others.some((text) => /^hidden-module rk\d+: it is in .sys.module/.test(text)));
    } finally {
      source.close();
    }
  });

  test('runs in a process of its own for a collector, which sends each finding once', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    using object = BpfObject.open(sensorObject);
    for (const program of object.programs.values()) program.autoload = program.name === 'process_fork';
    for (const ring of ['rf_ring_security', 'rf_ring_bulk']) object.definition(ring).resize(4096);
    object.load();
    const { id } = object.program('process_fork');
    const integrity = { everyMs: 200, knownPrograms: [] };
    await using collector = await startTestCollector(place, bus, { tickMs: 20, integrity });
    const found = async () =>
      (await readEvents(bus)).flatMap((event) => {
        const finding = bodyOf(event, 'Finding');
        return finding?.subject.includes(`(${id})`) ? [finding] : [];
      });
    for (const end = performance.now() + 60_000; (await found()).length === 0 && performance.now() < end; )
      await sleep(100);
    // Wait for further runs, whose findings must be known.
    await sleep(2000);
    await collector.settle();
    const all = await found();
    assert.deepEqual(
      all.map(({ check }) => check),
      ['bpf-program'],
    );
    const findings = (await readEvents(bus)).flatMap((event) => bodyOf(event, 'Finding') ?? []);
    assert.deepEqual(
      findings
        .filter(({ detail }) => detail.endsWith(`held by MainThread (${process.pid})`))
        .map(({ subject }) => subject),
      all.map(({ subject }) => subject),
      "the collector's own programs are known, including those without a hook",
    );
  });
});
