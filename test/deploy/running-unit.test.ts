import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { buildSensor } from '@ringfence/sensor/build';
import { until } from '../e2e/lib/wait.ts';
import { SystemdMachine, skip } from './lib/systemd-machine.ts';

/** BPF, PERFMON, NET_ADMIN, SYS_PTRACE, DAC_READ_SEARCH. Without enforcement the sensor has no KILL. */
const SENSOR = [39, 38, 12, 19, 2].reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
/** DAC_READ_SEARCH, for the child process journalctl. */
const JOURNAL = 1n << 2n;
/** Writable directories. /run is left out, because systemd does not remount it and only root can write there. */
const WRITABLE = ['/etc/ringfence', '/sys/fs/bpf/ringfence', '/var/lib/ringfence', '/var/lib/ringfence-sensor'];

function sandboxOf(pid: number): object {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'latin1').split('\n');
  const writable = mounts.map((line) => line.split(' ')).filter(([, , , , , options]) => options?.startsWith('rw'));
  const directories = writable
    .map(([, , , , point = '']) => point)
    .filter((point) => !/^\/(dev|proc|tmp|var\/tmp|run)\b/.test(point));
  return { set: field('CapEff'), uid: field('Uid'), seccomp: field('Seccomp'), directories: directories.sort() };
}

describe('the systemd unit, under a systemd', { skip }, () => {
  let machine: SystemdMachine;
  before(async () => {
    await buildSensor();
    machine = await SystemdMachine.start();
  });
  after(() => machine?.[Symbol.asyncDispose]());

  const watching = (times: number): Promise<boolean> =>
    until(`start ${times} of the unit`, () => {
      const { journal } = machine;
      assert.notEqual(machine.property('ActiveState'), 'failed', journal);
      return journal.split('watching this machine').length > times;
    });

  async function assertSees(mark: string): Promise<void> {
    spawnSync('/bin/true', [mark]);
    const where = `event.action = exec and process.command_line contains ${mark}`;
    await until('the event', () => machine.output('ringfence', 'events', '--where', where).includes('/bin/true'));
  }

  test('starts in its sandbox: the processes run as its users, only the sensor and journalctl have capabilities, and only its own directories are writable', async () => {
    machine.output('systemctl', 'start', 'ringfence');
    await watching(1);
    const [services = '', sensor = ''] = ['ringfence', 'ringfence-sensor'].map((user) =>
      machine.output('id', '-u', user),
    );
    await until('the reader of the journal', () => machine.pids.length === 3);
    assert.deepEqual(
      machine.pids.map((pid) => sandboxOf(pid)),
      (
        [
          [0n, services],
          [SENSOR, sensor],
          [JOURNAL, sensor],
        ] as const
      ).map(([mask, uid]) => ({
        set: mask.toString(16).padStart(16, '0'),
        uid,
        seccomp: '2',
        directories: WRITABLE,
      })),
    );
    await assertSees(`rf-unit-${process.pid}-1`);
  });

  test('is restarted after a kill and resumes with the remaining sensor', async () => {
    process.kill(machine.pids[0] ?? 0, 'SIGKILL');
    await watching(2);
    assert.equal(machine.property('NRestarts'), '1');
    await assertSees(`rf-unit-${process.pid}-2`);
  });

  test('is restarted by the watchdog when the process of the sensor is stopped, and reports who did it', async () => {
    assert.deepEqual([machine.property('Type'), machine.property('NotifyAccess')], ['notify', 'main']);
    assert.match(machine.property('StatusText'), /^running collector, /);
    machine.output('mkdir', '-p', '/run/systemd/system/ringfence.service.d');
    const shorter = '[Service]\nWatchdogSec=6s\n';
    machine.output('sh', '-c', `printf '${shorter}' >/run/systemd/system/ringfence.service.d/watchdog.conf`);
    machine.output('systemctl', 'daemon-reload');
    machine.output('systemctl', 'restart', 'ringfence');
    await watching(3);
    const restarts = Number(machine.property('NRestarts'));
    process.kill(machine.pids[1] ?? 0, 'SIGSTOP');
    await until('the watchdog', () => Number(machine.property('NRestarts')) > restarts);
    assert.match(machine.journal, /Watchdog timeout|the collector does not tick/);
    await watching(4);
    const where = 'event.action = agent_signal';
    await until('the report', () => machine.output('ringfence', 'events', '--where', where).includes('agent_signal'));
  });

  test('stops cleanly and removes its pins', () => {
    machine.output('systemctl', 'stop', 'ringfence');
    assert.deepEqual([machine.property('ActiveState'), machine.property('Result')], ['inactive', 'success']);
    assert.equal(machine.output('ls', '/sys/fs/bpf/ringfence'), '');
  });
});
