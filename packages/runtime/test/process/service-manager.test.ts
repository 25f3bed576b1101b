import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, silentLog } from '@ringfence/base';
import { NotifySocket } from '@ringfence/testkit/notify-socket';
import { ServiceManager } from '../../src/process/service-manager.ts';
import { Watchdog } from '../../src/process/watchdog.ts';

const directory = mkdtempSync(join(tmpdir(), 'rf-notify-'));
after(() => rmSync(directory, { recursive: true }));

async function until(description: string, check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (check()) return;
    await sleep(10);
  }
  assert.fail(`waited for ${description}`);
}

describe('the service manager that started a process', () => {
  for (const [kind, address] of [
    ['a path', join(directory, 'notify.sock')],
    ['an abstract name', `@rf-test-${process.pid}-notify`],
  ] as const)
    it(`gets READY, WATCHDOG and STOPPING at a socket with ${kind}`, async () => {
      await using socket = await NotifySocket.open(directory, address);
      const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '3000000', WATCHDOG_PID: String(process.pid) };
      using manager = (await ServiceManager.connect(env)) ?? assert.fail();
      assert.equal(manager.watchdogMs, 3000);
      assert.deepEqual(env, {}, 'no child process has the variables');
      manager.ready('waiting for\nbrokers');
      manager.ready('running');
      manager.beat();
      manager.stopping();
      await until('four messages', () => socket.messages.length === 4);
      assert.deepEqual(socket.messages, [
        'READY=1|STATUS=waiting for brokers',
        'STATUS=running',
        'WATCHDOG=1',
        'STOPPING=1',
      ]);
    });

  it('expects no beat from a process that its watchdog does not name', async () => {
    await using socket = await NotifySocket.open(directory, `@rf-test-${process.pid}-other`);
    const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' };
    using manager = (await ServiceManager.connect(env)) ?? assert.fail();
    assert.equal(manager.watchdogMs, null);
  });

  it('is none without a unix socket, and a socket that is gone costs nothing', async () => {
    for (const address of [undefined, '', '@', 'vsock:2:1234', 'relative'])
      assert.equal(await ServiceManager.connect(address === undefined ? {} : { NOTIFY_SOCKET: address }), null);
    using manager = (await ServiceManager.connect({ NOTIFY_SOCKET: join(directory, 'none') })) ?? assert.fail();
    manager.ready('running');
    manager.beat();
  });
});

describe('the watchdog of a process', () => {
  it('finds it healthy only while the collector ticks, and logs the change once', async () => {
    let beats = 0;
    const logged: string[] = [];
    const note = (_: object, message: string): void => void logged.push(message);
    const log: Log = { ...silentLog, warn: note, error: note };
    const options = { onHealthy: () => beats++, expectedMs: 30, log };
    using watchdog = new Watchdog(options);
    await until('the beats of the start', () => beats > 2);
    let ticks = 0;
    let isTicking = true;
    let release = (): void => {};
    watchdog.watch(() => {
      if (isTicking) return Promise.resolve(++ticks);
      // A stopped process does not answer.
      return new Promise((resolve) => {
        release = () => resolve(ticks);
      });
    });
    await until('the beats of the collector', () => ticks > 3);
    isTicking = false;
    await until('the silence', () => logged.length === 1);
    const beatsBefore = beats;
    await sleep(100);
    assert.equal(beats, beatsBefore);
    isTicking = true;
    release();
    await until('further beats', () => beats > beatsBefore);
    assert.match(logged.join('\n'), /^the collector does not tick: .*\nthe collector ticks again$/);
  });

  it('does not take an answer for a tick', async () => {
    let beats = 0;
    using watchdog = new Watchdog({ onHealthy: () => beats++, expectedMs: 30, log: silentLog });
    let asked = 0;
    watchdog.watch(async () => {
      asked++;
      return 7;
    });
    await until('further checks', () => asked > 3);
    // At most one beat by the timer before the collector was there, and the one of its first answer.
    assert.ok(beats <= 2, String(beats));
  });
});
