/**
 * All opens and file changes of executables that rules name leave the kernel. For other executables, only watched paths
 * and
 * names do.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BULK, lastOf, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const O_RDONLY = '0';
const NAMED = 'rf-named';
const UNNAMED = 'rf-other';
/** The kernel compares the last 32 bytes of a name. */
const LONG = `rf-${'long'.repeat(20)}`;
const NAMES = [NAMED, UNNAMED];

describe('executables named by rules', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let file: string;
  /** Shells that started before the sensor. Each waits for a line and then reads the file. */
  let earlyShells: Map<string, ChildProcess>;

  before(async () => {
    scratch = new Scratch();
    file = join(scratch.path, 'file');
    writeFileSync(file, 'x');
    earlyShells = await startShells('early');
    earlyShells.set('unknown', await startShell(copy('/bin/sh', 'early', 'rf-unknown')));
    sensor = await TestSensor.start({ full: true, fresh: true });
    for (const name of [NAMED, LONG, 'memfd:payload']) sensor.watchExecutable(name);
  });
  beforeEach(() => setWatched(true));
  after(() => {
    for (const child of earlyShells?.values() ?? []) child.kill();
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Watches nothing but executables. */
  const setWatched = (any: boolean): void =>
    sensor.control({ watched_heads: [0, 0], nothing_named: 1, executables_named: Number(any) });

  /** Copies the executable FROM into a separate directory under the given name. */
  function copy(from: string, directory: string, name: string): string {
    const place = join(scratch.path, 'copies', directory);
    mkdirSync(place, { recursive: true });
    copyFileSync(from, join(place, name));
    return join(place, name);
  }

  function program(source: string, name: string): string {
    const compiled = join(scratch.path, source);
    return copy(existsSync(compiled) ? compiled : scratch.compile(source), source, name);
  }

  const paths = (records: readonly SensorRecord[]): (string | undefined)[] =>
    recordsOf(records, 'rf_open').map(({ texts }) => texts['path']?.bytes.toString());
  const includesFile = (records: readonly SensorRecord[]): boolean => paths(records).includes(file);

  async function startShell(executable: string): Promise<ChildProcess> {
    const child = spawn(executable, ['-c', `echo; read line; : < ${file}`], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data'); // spawn returns before the exec has finished
    return child;
  }

  /** Starts a shell under each of the two names. */
  async function startShells(directory: string): Promise<Map<string, ChildProcess>> {
    const children = new Map<string, ChildProcess>();
    for (const name of NAMES) children.set(name, await startShell(copy('/bin/sh', directory, name)));
    return children;
  }

  async function readsFile(child: ChildProcess): Promise<boolean> {
    child.stdin?.end('\n');
    await once(child, 'exit');
    sensor.drain();
    return includesFile(sensor.records.filter(({ header }) => header.tgid === child.pid));
  }

  test('files read by a named executable are reported, other reads are counted', async () => {
    const before = sensor.counters(BULK).unwatched;
    for (const [name, reported] of [
      [NAMED, true],
      [UNNAMED, false],
      [LONG, true],
      [`${LONG}2`, false],
    ] as const)
      for (const call of ['open', 'openat', 'openat2']) {
        const seen = await sensor.run(program('open', name), [call, file, O_RDONLY]);
        assert.equal(includesFile(seen), reported, `${call} by ${name}`);
        assert.equal(
          paths(seen).some((path) => path?.includes('libc')),
          reported,
          'the first open of the process is included',
        );
      }
    assert.ok(sensor.counters(BULK).unwatched >= before + 6n);
  });

  test('failed opens of a named executable are reported', async () => {
    const missing = join(scratch.path, 'missing');
    for (const name of NAMES) {
      const seen = paths(await sensor.run(program('open', name), ['openat', missing, O_RDONLY]));
      assert.equal(seen.includes(missing), name === NAMED, name);
    }
  });

  test('files changed by a named executable are reported', async () => {
    for (const name of NAMES) {
      const seen = await sensor.run(program('change', name), ['chmod', file, '644']);
      assert.equal(recordsOf(seen, 'rf_file_change').length, name === NAMED ? 1 : 0, name);
    }
  });

  test('no executable is looked up while no rule names one', async () => {
    setWatched(false);
    assert.equal(includesFile(await sensor.run(program('open', NAMED), ['openat', file, O_RDONLY])), false);
  });

  test('a process counts as its last executable, even if a thread executed it', async () => {
    const reads = ['openat', file, O_RDONLY];
    for (const name of NAMES) {
      const [from = ''] = NAMES.filter((candidate) => candidate !== name);
      const seen = await sensor.run(copy('/usr/bin/env', 'env', from), [program('open', name), ...reads]);
      assert.equal(includesFile(seen), name === NAMED, `${from} executes ${name}`);
      const threaded = await sensor.run(program('thread_exec', from), [copy('/bin/true', 'true', name)]);
      const after = threaded.indexOf(lastOf(threaded, 'rf_exec', 2));
      assert.equal(recordsOf(threaded.slice(after), 'rf_open').length > 0, name === NAMED, `a thread executes ${name}`);
    }
  });

  test('children inherit the executable of their parent, and threads that of their process', async () => {
    for (const name of NAMES) {
      const nested = `( ( : < ${file}; : ); : ); :`;
      assert.equal(includesFile(await sensor.run(copy('/bin/sh', 'sh', name), ['-c', nested])), name === NAMED, name);
      assert.equal(
        includesFile(await sensor.run(program('thread_open', name), [file])),
        name === NAMED,
        `a thread of ${name}`,
      );
    }
  });

  test('a process that started before the first rule named an executable is classified', async () => {
    setWatched(false);
    const children = await startShells('before');
    setWatched(true);
    for (const [name, child] of children) assert.equal(await readsFile(child), name === NAMED, name);
  });

  test('a process older than the sensor is classified by the snapshot, and its opens are reported until then', async () => {
    const unknown = earlyShells.get('unknown');
    assert.ok(unknown !== undefined && (await readsFile(unknown)));
    sensor.snapshot();
    for (const name of NAMES) assert.equal(await readsFile(earlyShells.get(name)!), name === NAMED, name);
  });

  test('a process is classified by the name that its executable had at exec', async () => {
    for (const name of NAMES) {
      const path = copy('/bin/sh', 'renamed', name);
      const child = await startShell(path);
      renameSync(path, join(dirname(path), name === NAMED ? UNNAMED : NAMED));
      sensor.snapshot();
      assert.equal(await readsFile(child), name === NAMED, name);
    }
  });

  test('an executable in memory is classified by its name', async () => {
    const seen = await sensor.run(scratch.compile('run'), ['memfd', program('open', UNNAMED)]);
    const after = seen.indexOf(lastOf(seen, 'rf_exec', 2));
    assert.ok(recordsOf(seen.slice(after), 'rf_open').length > 0);
  });
});
