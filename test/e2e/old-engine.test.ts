import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Status } from '@ringfence/runtime/status';
import { buildSensor } from '@ringfence/sensor/build';
import { readable } from '@ringfence/testkit';
import { Installation, MAIN, Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/** What an engine gives root that knows neither BPF nor PERFMON, to whom SETPCAP was not given. */
const GIVEN = ['setuid', 'setgid', 'chown', 'sys_admin', 'net_admin', 'sys_ptrace', 'dac_read_search'];
const bounding = ['-all', ...GIVEN.map((name) => `+${name}`)].join();

describe('up as an unprivileged user, begun by a root of few capabilities', { skip }, () => {
  test('SYS_ADMIN stands for those that the engine does not know, in the sensor’s process alone; nobody can have those that were for the beginning', async () => {
    await buildSensor();
    await using home = new Installation(['user=nobody']);
    chmodSync(home.dir, 0o755);
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
    const { stdout: said } = await home.run(['doctor']);
    assert.match(said, /✓ privileges +every needed capability, in the running processes/);
    assert.match(said, /✓ runs as .*CAP_SYS_ADMIN/);
    for (const { pid } of processes) assert.match(readFileSync(`/proc/${pid}/status`, 'latin1'), /^NoNewPrivs:\t1$/m);
    assert.equal((await up.stop('SIGTERM')).code, 0, up.stderr);
    home.assertClean();
  });
});
