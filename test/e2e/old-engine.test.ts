import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Status } from '@ringfence/runtime/status';
import { buildSensor } from '@ringfence/sensor/build';
import { readable } from '@ringfence/testkit';
import { MAIN, Running } from './lib/program.ts';
import { skip, twoUserInstallation } from './lib/two-users.ts';
import { until } from './lib/wait.ts';

/** Capabilities of root in an engine that knows neither BPF nor PERFMON and does not grant SETPCAP. */
const GRANTED = ['setuid', 'setgid', 'chown', 'sys_admin', 'net_admin', 'sys_ptrace', 'dac_read_search'];
const bounding = ['-all', ...GRANTED.map((name) => `+${name}`)].join();

describe('up as an unprivileged user, started by root with few capabilities', { skip }, () => {
  test('SYS_ADMIN replaces capabilities that the engine does not know, only in the process of the sensor; no process keeps the capabilities of the start', async () => {
    await buildSensor();
    await using home = twoUserInstallation();
    const settings = home.settings.flatMap((setting) => ['--set', setting]);
    const command = [
      readable(process.execPath),
      '--conditions=@ringfence/source',
      readable(MAIN),
      'up',
      '--config',
      '/dev/null',
      ...settings,
    ];
    const child = spawn('setpriv', [`--bounding-set=${bounding}`, '--no-new-privs', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await using up = new Running(child);
    await up.says('watching this machine');
    spawnSync('/bin/true', ['rf-old-engine']);
    const where = 'event.action = exec and process.command_line contains rf-old-engine';
    await until('the event', async () => (await home.output(['events', '--where', where])).includes('/bin/true'));
    const { processes } = JSON.parse(await home.output(['status', '--json'])) as Status;
    const sensor = ['CAP_DAC_READ_SEARCH', 'CAP_NET_ADMIN', 'CAP_SYS_PTRACE', 'CAP_SYS_ADMIN'];
    assert.deepEqual(
      processes.map(({ capabilities }) => [...capabilities].sort()),
      [[], sensor.sort()],
    );
    const { stdout } = await home.run(['doctor']);
    assert.match(stdout, /✓ privileges +every needed capability, in the running processes/);
    assert.match(stdout, /✓ runs as .*CAP_SYS_ADMIN/);
    for (const { pid } of processes) assert.match(readFileSync(`/proc/${pid}/status`, 'latin1'), /^NoNewPrivs:\t1$/m);
    assert.equal((await up.stop('SIGTERM')).code, 0, up.stderr);
    home.assertClean();
  });
});
