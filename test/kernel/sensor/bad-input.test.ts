/**
 * Hostile input: the sensor limits it, marks it as cut and attributes it to the right process.
 *
 * Other tests cover more of it: arguments and paths that are too long (exec.test.ts, attempt.test.ts, open.test.ts,
 * file-change.test.ts), removed cgroups and mount namespaces (inventory.test.ts, packages/host-facts/test/hash.test.ts)
 * and
 * malformed records (packages/sensor/test/transcode.test.ts). No test steps the wall clock, because that would step the
 * machine's; only the agent's clock offset depends on it, which is sent again every second. Process ids wrap around in
 * a pid
 * namespace, because wrapping the host's would disturb it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  cgroup2,
  execOf,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';

/** `RINGFENCE_STORM=100000` runs the long form. */
const STORM = Number(process.env['RINGFENCE_STORM'] ?? 5000);
const ARGV_MAX = 32_768;
const noTimeNamespace = existsSync('/proc/self/ns/time') ? false : 'this kernel has no time namespaces';

const key = ({ header }: SensorRecord): string => `${header.tgid}/${header.start}`;

/**
 * Returns the forks by the first record's process and its descendants. Processes are identified by pid and start time.
 */
function descendants(records: readonly SensorRecord[]): SensorRecord[] {
  const [root] = records;
  const family = new Set(root === undefined ? [] : [key(root)]);
  return recordsOf(records, 'rf_fork').filter((fork) => {
    if (fork === root) return true;
    const related = family.has(`${fork.fields['parent_tgid']}/${fork.fields['parent_start']}`);
    if (related) family.add(key(fork));
    return related;
  });
}

describe('hostile input on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('terminate');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Runs a shell script and drains the rings meanwhile. */
  async function shell(script: string, ...args: string[]): Promise<SensorRecord[]> {
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...args], { stdio: 'ignore' });
    const draining = setInterval(() => sensor.drain(), 2);
    try {
      await once(child, 'exit');
    } finally {
      clearInterval(draining);
    }
    return sensor.familyOf(child);
  }

  test('more than 2 MiB of arguments are reported with their head, tail and true length', async () => {
    const script = 'ulimit -s 65536 && exec "$1" code 0 $(yes "$2" | head -n 2200) end';
    const word = 'x'.repeat(1000);
    const exec = execOf(await shell(script, program, word), program);
    const whole = Buffer.from([program, 'code', '0', ...Array<string>(2200).fill(word), 'end'].join('\0'));
    const { bytes, length } = exec.texts['argv'] ?? { bytes: Buffer.alloc(0), length: 0 };
    assert.ok(whole.length > 2 << 20);
    assert.equal(length, whole.length);
    assert.deepEqual(bytes, Buffer.concat([whole.subarray(0, ARGV_MAX / 2), whole.subarray(-ARGV_MAX / 2)]));
    assert.equal(exec.fields['argc'], 2204);
  });

  test('a path of 200 components is complete', async () => {
    const script =
      'cd "$1"; i=0; while [ $i -lt 200 ]; do mkdir d; cd d; i=$((i+1)); done; cp "$2" terminate; exec ./terminate code 0';
    const path = `${scratch.path}${'/d'.repeat(200)}/terminate`;
    const exec = execOf(await shell(script, scratch.path, program), path);
    assert.equal(exec.texts['path']?.length, path.length);
  });

  test('the name of an executable with control characters and invalid UTF-8 is reported byte by byte', async () => {
    const name = Buffer.from('\xff\xfe\x1b[2J\n\x07', 'latin1');
    const script = 'cd "$1"; n=$(printf "\\377\\376\\033[2J\\n\\007"); cp "$2" "$n"; exec "./$n" code 0';
    const path = Buffer.concat([Buffer.from(`${scratch.path}/`), name]);
    const exec = execOf(await shell(script, scratch.path, program), path);
    assert.deepEqual(exec.texts['filename']?.bytes, Buffer.concat([Buffer.from('./'), name]));
  });

  test(`${STORM} short-lived processes have one fork and one exit each, or records are counted as lost`, async () => {
    const before = sensor.counters(SECURITY);
    const script = 'i=0; while [ $i -lt "$1" ]; do ( : ) & ( ( : ) & wait ) & wait; i=$((i+3)); done';
    const records = await shell(script, String(STORM));
    const lost = sensor.counters(SECURITY).ring_full - before.ring_full;
    const forks = descendants(records);
    const born = new Set(forks.map(key));
    // With so many processes, unrelated processes reuse pids as well.
    const exits = recordsOf(records, 'rf_exit').filter((exit) => born.has(key(exit)));
    const dead = new Set(exits.map(key));
    assert.equal(born.size, forks.length, 'a fork was reported twice');
    assert.equal(dead.size, exits.length, 'an exit was reported twice');
    if (lost > 0n) return;
    assert.ok(forks.length >= STORM, `${forks.length} of ${STORM} forks`);
    for (const process of born) assert.ok(dead.has(process), `${process} has no exit`);
  });

  test('a process whose cgroup is removed after its exit keeps the id of that cgroup', async () => {
    const group = join(cgroup2() ?? '', `rf-test-gone-${process.pid}`);
    mkdirSync(group);
    const id = statSync(group, { bigint: true }).ino;
    const script = 'echo $$ > "$2/cgroup.procs"; ( "$1" code 0 ); echo $$ > "$2/../cgroup.procs"; rmdir "$2"';
    const records = await shell(script, program, group);
    if (existsSync(group)) rmdirSync(group);
    assert.equal(
      recordsOf(records, 'rf_exec').find(({ texts }) => texts['path']?.bytes.toString() === program)?.header.cgroup,
      id,
    );
  });

  test('processes that reuse a pid in their namespace are distinct processes', async () => {
    const script =
      '"$1" code 0; echo 499 > /proc/sys/kernel/ns_last_pid; "$1" code 0; echo 499 > /proc/sys/kernel/ns_last_pid; "$1" code 0; :';
    const records = await sensor.run('unshare', [
      '--pid',
      '--fork',
      '--mount-proc',
      '/bin/sh',
      '-c',
      script,
      'sh',
      program,
    ]);
    const reused = recordsOf(records, 'rf_exec').filter(
      ({ fields }) => (fields['namespaces'] as { pid_in_ns: number }).pid_in_ns === 500,
    );
    assert.equal(reused.length, 2);
    assert.equal(new Set(reused.map(key)).size, 2);
    for (const exec of reused)
      assert.equal(recordsOf(records, 'rf_exit').filter((exit) => key(exit) === key(exec)).length, 1);
  });

  test("a process in a time namespace has timestamps of the host's clock", { skip: noTimeNamespace }, async () => {
    const from = process.hrtime.bigint();
    const args = ['--time', '--boottime', '1000000', '--monotonic', '1000000', '--fork', program, 'code', '0'];
    const records = await sensor.run('unshare', args);
    const { header } = execOf(records, program);
    const testStart = sensor.snapshot(process.pid)[0]?.header.start ?? 0n;
    assert.ok(header.start > testStart && header.ktime > header.start);
    const lived = header.ktime - (recordOf(records.slice(0, 1), 'rf_fork').header.ktime ?? 0n);
    assert.ok(lived >= 0n && lived <= process.hrtime.bigint() - from, `${lived} ns`);
  });
});
