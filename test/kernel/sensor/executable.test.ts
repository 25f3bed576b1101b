/** Of the executables that rules name every open and every change of a file leaves the kernel; of all others nothing that isn't watched. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { BULK, recordsOf, Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';

const O_RDONLY = '0';
const NAMED = 'rf-named';
const OTHER = 'rf-other';
/** Two of the same last 32 bytes are one to the kernel. */
const LONG = `rf-${'long'.repeat(20)}`;
const BOTH = [NAMED, OTHER];

describe('executables that rules name', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let file: string;
  /** They wait for a line, then read the file; they ran before the sensor did. */
  let early: Map<string, ChildProcess>;

  before(async () => {
    scratch = new Scratch();
    file = join(scratch.path, 'file');
    writeFileSync(file, 'x');
    early = await shells('early');
    early.set('unknown', await waiting(copy('/bin/sh', 'early', 'rf-unknown')));
    sensor = await TestSensor.start({ full: true, fresh: true });
    for (const name of [NAMED, LONG, 'memfd:payload']) sensor.watchExecutable(name);
  });
  beforeEach(() => ask(true));
  after(() => {
    for (const child of early?.values() ?? []) child.kill();
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Nothing else is watched. */
  const ask = (any: boolean): void =>
    sensor.control({ watched_heads: [0, 0], nothing_named: 1, executables_named: Number(any) });

  /** The executable FROM, called so in a directory of its own. */
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
  const read = (records: readonly SensorRecord[]): boolean => paths(records).includes(file);

  async function waiting(executable: string): Promise<ChildProcess> {
    const child = spawn(executable, ['-c', `echo; read line; : < ${file}`], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data'); // it runs: spawn comes back before the exec is over
    return child;
  }

  /** One of either name. */
  async function shells(directory: string): Promise<Map<string, ChildProcess>> {
    const children = new Map<string, ChildProcess>();
    for (const name of BOTH) children.set(name, await waiting(copy('/bin/sh', directory, name)));
    return children;
  }

  async function goOn(child: ChildProcess): Promise<boolean> {
    child.stdin?.end('\n');
    await once(child, 'exit');
    sensor.drain();
    return read(sensor.records.filter(({ header }) => header.tgid === child.pid));
  }

  test('what they read comes, what others read does not, and is counted', async () => {
    const before = sensor.counters(BULK).unwatched;
    for (const [name, comes] of [
      [NAMED, true],
      [OTHER, false],
      [LONG, true],
      [`${LONG}2`, false],
    ] as const)
      for (const call of ['open', 'openat', 'openat2']) {
        const seen = await sensor.run(program('open', name), [call, file, O_RDONLY]);
        assert.equal(read(seen), comes, `${call} by ${name}`);
        assert.equal(
          paths(seen).some((path) => path?.includes('libc')),
          comes,
          'from its first open on',
        );
      }
    assert.ok(sensor.counters(BULK).unwatched >= before + 6n);
  });

  test('what they fail to read comes', async () => {
    const missing = join(scratch.path, 'missing');
    for (const name of BOTH) {
      const seen = paths(await sensor.run(program('open', name), ['openat', missing, O_RDONLY]));
      assert.equal(seen.includes(missing), name === NAMED, name);
    }
  });

  test('what they change comes', async () => {
    for (const name of BOTH) {
      const seen = await sensor.run(program('change', name), ['chmod', file, '644']);
      assert.equal(recordsOf(seen, 'rf_file_change').length, name === NAMED ? 1 : 0, name);
    }
  });

  test('while no rule names any, none is looked up', async () => {
    ask(false);
    assert.equal(read(await sensor.run(program('open', NAMED), ['openat', file, O_RDONLY])), false);
  });

  test('a process is what it has executed last, in whichever thread', async () => {
    const reads = ['openat', file, O_RDONLY];
    for (const name of BOTH) {
      const [from = ''] = BOTH.filter((other) => other !== name);
      const seen = await sensor.run(copy('/usr/bin/env', 'env', from), [program('open', name), ...reads]);
      assert.equal(read(seen), name === NAMED, `${from} executes ${name}`);
      const threaded = await sensor.run(program('thread_exec', from), [copy('/bin/true', 'true', name)]);
      const after = threaded.findLastIndex(({ type }) => type === 'rf_exec');
      assert.equal(recordsOf(threaded.slice(after), 'rf_open').length > 0, name === NAMED, `a thread executes ${name}`);
    }
  });

  test('a child is what its parent is, and a thread what its process is', async () => {
    for (const name of BOTH) {
      const nested = `( ( : < ${file}; : ); : ); :`;
      assert.equal(read(await sensor.run(copy('/bin/sh', 'sh', name), ['-c', nested])), name === NAMED, name);
      assert.equal(read(await sensor.run(program('thread_open', name), [file])), name === NAMED, `a thread of ${name}`);
    }
  });

  test('a process that was there before anybody asked', async () => {
    ask(false);
    const children = await shells('before');
    ask(true);
    for (const [name, child] of children) assert.equal(await goOn(child), name === NAMED, name);
  });

  test('a process that was there before the sensor, once it has been found; until then it may be any', async () => {
    const unknown = early.get('unknown');
    assert.ok(unknown !== undefined && (await goOn(unknown)));
    sensor.snapshot();
    for (const name of BOTH) assert.equal(await goOn(early.get(name)!), name === NAMED, name);
  });

  test('it goes by what the executable was called when it was executed, as rules do', async () => {
    for (const name of BOTH) {
      const path = copy('/bin/sh', 'renamed', name);
      const child = await waiting(path);
      renameSync(path, join(dirname(path), name === NAMED ? OTHER : NAMED));
      sensor.snapshot();
      assert.equal(await goOn(child), name === NAMED, name);
    }
  });

  test('what is executed from memory has a name, too', async () => {
    const seen = await sensor.run(scratch.compile('run'), ['memfd', program('open', OTHER)]);
    const after = seen.findLastIndex(({ type }) => type === 'rf_exec');
    assert.ok(recordsOf(seen.slice(after), 'rf_open').length > 0);
  });
});
