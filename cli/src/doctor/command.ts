import { readFileSync } from 'node:fs';
import { paintFor } from '@ringfence/base';
import { type Config, SENSOR_OBJECT } from '@ringfence/config';
import {
  type Check,
  checkCustomProbes,
  checkMachine,
  checkPrivileges,
  checkRunningAgent,
  checkStateDirectory,
  checkUser,
  type HookState,
  mayLoadSensor,
  probeFull,
  probeHooks,
} from '@ringfence/doctor';
import { checkFleet } from '@ringfence/doctor/fleet';
import type { Status } from '@ringfence/runtime/status';
import { cgroupRoot } from '@ringfence/simulator/demo';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { doctorText } from './view.ts';

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description(DESCRIPTIONS.doctor)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Exit code 1 if a check fails.

Examples:
  ringfence doctor
  ringfence doctor --json | jq .hooks`,
    );
  withSettings(command, '--only', '--state-dir').action(async (_, self: Command) => {
    const config = settingsOf(self);
    const fleet = config.bus.driver === 'kafka' ? await checkFleet(config) : [];
    // Only the agent depends on the kernel. All other services need a disk, and the servers of the fleet.
    const isAgent = config.services.includes('collector');
    const running = await clientOf(config).status();
    const machine = isAgent ? checkAgent(config, running) : [checkStateDirectory(config.stateDir)];
    machine.push(checkUser(config, running), ...(isAgent ? checkRunningAgent(running) : []));
    const untried = isAgent ? reasonUntried(config, machine) : null;
    const hooks = isAgent && untried === null ? probe(machine) : [];
    if (self.opts<{ json?: boolean }>().json) printJson({ machine, hooks, fleet }, 2);
    else print(doctorText({ machine, fleet, hooks, untried }, paintFor(process.stdout)));
    const passed = [...machine, ...fleet].every(({ ok }) => ok) && hooks.every(({ problem }) => problem === null);
    if (!passed) process.exitCode = 1;
  });
}

function checkAgent(config: Config, running: Status | null): Check[] {
  return [
    ...checkMachine(config, readFileSync('/proc/mounts', 'utf8')),
    ...checkPrivileges(config, running),
    ...checkCustomProbes(config.collector),
  ];
}

/** Returns why the hooks cannot be tried, or null if they can. */
function reasonUntried(config: Config, machine: readonly Check[]): string | null {
  const blocking = machine.some(({ name, ok }) => !ok && /^(privilege|kernel types|kernel lockdown|libbpf)/.test(name));
  if (blocking) return 'fix the failed checks above first';
  return mayLoadSensor(config) ? null : 'this needs root; the running ringfence has tried them';
}

function probe(machine: readonly Check[]): HookState[] {
  const cgroup = machine.find(({ name }) => name === 'cgroup v2')?.ok ? cgroupRoot() : undefined;
  const isTerminal = process.stderr.isTTY;
  const hooks = probeHooks(SENSOR_OBJECT, cgroup, (done, total) => {
    if (isTerminal) process.stderr.write(`\rtrying hook ${done + 1} of ${total}\u001b[K`);
  });
  if (isTerminal) process.stderr.write('\r\u001b[K');
  return [...hooks, ...probeFull(SENSOR_OBJECT)];
}
