import { readFileSync } from 'node:fs';
import { paintFor } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { SENSOR_OBJECT } from '@ringfence/config';
import {
  type Check,
  checkHooksNow,
  checkMachine,
  checkNeeded,
  checkOwnProbes,
  checkPrivileges,
  disk,
  type HookState,
  mayLoad,
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
      '\nExit code 1 when something that matters is missing.\n\nExamples:\n  ringfence doctor\n  ringfence doctor --json | jq .hooks',
    );
  withSettings(command, '--only', '--state-dir').action(async (_, self: Command) => {
    const config = settingsOf(self);
    const fleet = config.bus.driver === 'kafka' ? await checkFleet(config) : [];
    // A service of a fleet needs a disk and its servers; only the agent needs a kernel.
    const watches = config.services.includes('collector');
    const running = await clientOf(config).status();
    const machine = watches ? checkWatcher(config, running) : [disk(config.stateDir)];
    machine.push(checkPrivileges(config, running), ...(watches ? checkHooksNow(running) : []));
    const untried = watches ? whyUntried(config, machine) : null;
    const hooks = watches && untried === null ? probe(machine) : [];
    if (self.opts<{ json?: boolean }>().json) printJson({ machine, hooks, fleet }, 2);
    else print(doctorText({ machine, fleet, hooks, untried }, paintFor(process.stdout)));
    if (!isWell([...machine, ...fleet]) || hooks.some((hook) => hook.problem !== null)) process.exitCode = 1;
  });
}

function checkWatcher(config: Config, running: Status | null): Check[] {
  return [
    ...checkMachine(config, readFileSync('/proc/mounts', 'utf8')),
    ...checkNeeded(config, running),
    ...checkOwnProbes(config.collector),
  ];
}

/** Why no hook is tried of those that are needed; null: they are. */
function whyUntried(config: Config, machine: readonly Check[]): string | null {
  const blocking = machine.some(({ name, ok }) => !ok && /^(privilege|kernel types|kernel lockdown|libbpf)/.test(name));
  if (blocking) return 'mend the above first';
  return mayLoad(config) ? null : 'only root may; what runs has tried them';
}

function probe(machine: readonly Check[]): HookState[] {
  const cgroup = machine.find(({ name }) => name === 'cgroup v2')?.ok ? cgroupRoot() : undefined;
  const tty = process.stderr.isTTY;
  const hooks = probeHooks(SENSOR_OBJECT, cgroup, (done, of) => {
    if (tty) process.stderr.write(`\rtrying hook ${done + 1} of ${of}\u001b[K`);
  });
  if (tty) process.stderr.write('\r\u001b[K');
  return [...hooks, ...probeFull(SENSOR_OBJECT)];
}

const isWell = (checks: readonly Check[]): boolean => checks.every(({ ok }) => ok);
