/** Plays root, which stops the process that reads the sensor: the service manager must find out. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '@ringfence/runtime/status';
import { NotifySocket } from '@ringfence/testkit/notify-socket';
import { SENSOR_UID, SERVICES_UID, skip, twoUserInstallation } from './lib/two-users.ts';
import { until } from './lib/wait.ts';

/** Time in which the service manager expects a beat, ms. */
const EXPECTED_MS = 3000;
const BEAT = 'WATCHDOG=1';

describe('the watchdog of an `up` with two users', { skip }, () => {
  test('is fed while both processes work, and no longer when the process of the sensor is stopped', async () => {
    await using home = twoUserInstallation(['collector.tick=100ms']);
    await using socket = await NotifySocket.open(home.dir, join(home.dir, 'notify.sock'));
    const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: String(EXPECTED_MS * 1000) };
    await using running = await home.up([], { env });
    await until('READY', () => socket.messages.some((message) => message.startsWith('READY=1|STATUS=running ')));
    await until('beats', () => socket.count(BEAT) > 2);
    const { processes } = JSON.parse(await home.output(['status', '--json'])) as Status;
    assert.deepEqual(
      processes.map(({ uid }) => uid),
      [SERVICES_UID, SENSOR_UID],
    );
    const [services = 0, sensor = 0] = processes.map(({ pid }) => pid);
    assert.equal(services, running.pid, 'the process that the service manager started sends the messages');
    assert.doesNotMatch(readFileSync(`/proc/${sensor}/environ`, 'latin1'), /NOTIFY_SOCKET/);

    process.kill(sensor, 'SIGSTOP');
    try {
      await running.says('the collector does not tick');
      const beats = socket.count(BEAT);
      await sleep(EXPECTED_MS);
      assert.equal(socket.count(BEAT), beats);
    } finally {
      process.kill(sensor, 'SIGCONT');
    }
    await running.says('the collector ticks again');
    const beats = socket.count(BEAT);
    await until('further beats', () => socket.count(BEAT) > beats);
    assert.equal((await running.stop('SIGTERM')).code, 0, running.stderr);
    assert.equal(socket.messages.at(-1), 'STOPPING=1');
  });
});
