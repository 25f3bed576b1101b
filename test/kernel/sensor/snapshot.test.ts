import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skip, TestSensor } from '@ringfence/testkit/sensor';
import { fileFacts, namespaces } from './expect.ts';

const half = 8192;

describe('the snapshot of running processes', { skip }, () => {
  let sensor: TestSensor;
  const children: ChildProcess[] = [];
  before(async () => {
    sensor = await TestSensor.start();
  });
  after(async () => {
    for (const child of children) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    sensor?.[Symbol.dispose]();
  });

  function sleeper(...args: string[]): number {
    const child = spawn('/bin/sleep', ['1000', ...args], { stdio: 'ignore', cwd: '/usr' });
    children.push(child);
    return child.pid ?? 0;
  }

  test("a snapshot by pid returns the values of the process's exec", { timeout: 60_000 }, async () => {
    const pid = sleeper('999');
    let exec: (typeof sensor.records)[number] | undefined;
    // The kernel closes the pipe by which spawn() waits for the exec before it reports the exec.
    for (; exec === undefined; await sleep(5)) {
      sensor.drain();
      exec = sensor.records.find(({ type, header }) => type === 'rf_exec' && header.tgid === pid);
    }
    const [found, ...rest] = sensor.snapshot(pid);
    assert.ok(found);
    assert.equal(rest.length, 0);
    assert.deepEqual(
      { ...found.header, ktime: 0n, cpu: 0, size: 0 },
      { ...exec.header, ktime: 0n, cpu: 0, size: 0, sequence: 0n },
    );
    assert.deepEqual(found.fields, { ...exec.fields, argc: 0, snapshot: 1 });
    const { filename, environment, interpreter, script, ...texts } = found.texts;
    const { filename: _, environment: __, interpreter: ___, script: ____, ...execTexts } = exec.texts;
    assert.deepEqual(texts, execTexts);
    assert.deepEqual([filename?.length, environment?.length, interpreter?.length, script?.length], [0, 0, 0, 0]);
  });

  test('every process is listed once, without its threads', () => {
    const pid = sleeper();
    const found = sensor.snapshot();
    const tgids = found.map(({ header }) => header.tgid);
    assert.equal(new Set(tgids).size, tgids.length);
    for (const expected of [pid, process.pid]) assert.ok(tgids.includes(expected));
    const testProcess = found.find(({ header }) => header.tgid === process.pid);
    const { inode, device } = fileFacts(process.execPath);
    assert.deepEqual([testProcess?.fields['inode'], testProcess?.fields['device']], [inode, device]);
    assert.deepEqual(testProcess?.fields['namespaces'], { ...namespaces(), pid_in_ns: process.pid });
    assert.equal(testProcess?.texts['argv']?.bytes.toString(), readFileSync('/proc/self/cmdline', 'utf8').slice(0, -1));
    const threads = found.filter(({ header }) => header.tgid !== header.tid);
    assert.deepEqual(threads, []);
  });

  test('kernel threads have a name and no executable', () => {
    const daemon = sensor.snapshot(2)[0];
    assert.equal(daemon?.texts['filename']?.bytes.toString(), 'kthreadd');
    assert.equal(daemon?.texts['path']?.length, 0);
    assert.deepEqual([daemon?.fields['inode'], daemon?.fields['flags']], [0n, 0]);
  });

  test('arguments of more than 16 KiB are reported with head and tail', () => {
    const args = Array.from({ length: 100 }, (_, index) => String(index).padStart(999, '0'));
    const whole = Buffer.from(['/bin/sleep', '1000', ...args].join('\0'));
    const argv = sensor.snapshot(sleeper(...args))[0]?.texts['argv'];
    assert.equal(argv?.length, whole.length);
    assert.deepEqual(argv?.bytes, Buffer.concat([whole.subarray(0, half), whole.subarray(-half)]));
  });

  test('an exited process is not listed', async () => {
    const child = spawn('/bin/true', { stdio: 'ignore' });
    await once(child, 'exit');
    assert.deepEqual(sensor.snapshot(child.pid), []);
  });
});
