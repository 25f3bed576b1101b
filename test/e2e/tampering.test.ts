import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/fields';
import type { Status } from '@ringfence/runtime/status';
import { skip, twoUserInstallation } from './lib/two-users.ts';
import { until } from './lib/wait.ts';

const HOLD = `
#include <stdlib.h>
#include <sys/ptrace.h>
int main(int count, char **words) { (void)count; return ptrace(PTRACE_SEIZE, atoi(words[1]), 0, 0) != 0; }
`;

const SHELL = basename(realpathSync('/bin/sh'));

/** Runs a command in a shell and returns the pid of the shell. */
function shell(command: string): number {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', `echo $$; ${command}`], { encoding: 'utf8' });
  assert.equal(status, 0, command);
  return Number(stdout.split('\n')[0]);
}

const stateOf = (pid: number): string | undefined => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];

function isAlive(pid: number): boolean {
  return spawnSync('kill', ['-0', String(pid)], { stdio: 'ignore' }).status === 0;
}

/** Returns [action, target pid, signal or access, executable of the actor]. */
const summaryOf = (event: EventDocument): unknown[] => [
  event['event.action'],
  event['process.target.pid'],
  event['signal.name'] ?? event['tampering.access'],
  event['tampering.executable'],
];

describe('tampering with the unprivileged process', { skip }, () => {
  test('is reported by the next start: stop, trace and kill, and the exit of both processes', async () => {
    await using home = twoUserInstallation();
    const hold = join(home.dir, 'hold-it');
    execFileSync('cc', ['-x', 'c', '-o', hold, '-'], { input: HOLD });
    const first = await home.up();
    const pidsOf = async (): Promise<number[]> =>
      (JSON.parse(await home.output(['status', '--json'])) as Status).processes.map(({ pid }) => pid);
    const [services = 0, sensor = 0] = await pidsOf();
    assert.deepEqual([services, sensor > 0], [first.pid, true]);

    shell(`kill -STOP ${services}`);
    await until('the stop', () => stateOf(services) === 'T');
    shell(`kill -CONT ${services}; ${hold} ${services}`);
    const killer = shell(`kill -9 ${services}`);
    await first.ended;
    await until('the end of the sensor’s process', () => !isAlive(sensor));

    await using second = await home.up();
    const where = 'event.action in (agent_signal, agent_access, agent_exit)';
    const events = await until('the tampering events', async () => {
      const lines = (await home.output(['events', '--json', '--where', where])).split('\n').filter(Boolean);
      return lines.length >= 5 && lines.map((line) => JSON.parse(line) as EventDocument);
    });
    assert.deepEqual(events.map(summaryOf), [
      ['agent_signal', services, 'SIGSTOP', SHELL],
      ['agent_access', services, 'ptrace', 'hold-it'],
      ['agent_signal', services, 'SIGKILL', SHELL],
      ['agent_exit', services, 'SIGKILL', 'node'],
      ['agent_exit', sensor, undefined, 'node'],
    ]);
    assert.equal(events[2]?.['process.pid'], killer);

    assert.equal((await second.stop('SIGTERM')).code, 0, second.stderr);
    await using third = await home.up();
    const again = await home.output(['events', '--json', '--where', where]);
    assert.equal(again.split('\n').filter(Boolean).length, events.length, 'an orderly stop must not be reported');
    assert.equal((await third.stop()).code, 0);
    home.assertClean();
  });
});
