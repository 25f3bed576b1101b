import { readFileSync } from 'node:fs';
import { type Paint, paintFor } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { SENSOR_OBJECT } from '@ringfence/config';
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
    const machine = watches ? checkWatcher(config, running) : [checkStateDirectory(config.stateDir)];
    machine.push(checkUser(config, running), ...(watches ? checkRunningAgent(running) : []));
    const untried = watches ? whyUntried(config, machine) : null;
    const hooks = watches && untried === null ? probe(machine) : [];
    if (self.opts<{ json?: boolean }>().json) printJson({ machine, hooks, fleet }, 2);
    else print(report({ machine, fleet, hooks, untried }, paintFor(process.stdout)));
    if (!isWell([...machine, ...fleet]) || hooks.some((hook) => hook.problem !== null)) process.exitCode = 1;
  });
}

function checkWatcher(config: Config, running: Status | null): Check[] {
  return [
    ...checkMachine(config, readFileSync('/proc/mounts', 'utf8')),
    ...checkPrivileges(config, running),
    ...checkCustomProbes(config.collector),
  ];
}

/** Why no hook is tried of those that are needed; null: they are. */
function whyUntried(config: Config, machine: readonly Check[]): string | null {
  const blocking = machine.some(({ name, ok }) => !ok && /^(privilege|kernel types|kernel lockdown|libbpf)/.test(name));
  if (blocking) return 'mend the above first';
  return mayLoadSensor(config) ? null : 'only root may; what runs has tried them';
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

interface Findings {
  readonly machine: readonly Check[];
  readonly fleet: readonly Check[];
  readonly hooks: readonly HookState[];
  /** why no hook was tried; null: they were, or none is needed */
  readonly untried: string | null;
}

function report({ machine, fleet, hooks, untried }: Findings, paint: Paint): string {
  const lines = [paint.bold('This machine'), ...checkLines(machine, paint)];
  if (fleet.length > 0) lines.push('', paint.bold('The fleet, from here'), ...checkLines(fleet, paint));
  if (untried === null && hooks.length === 0) return lines.join('\n');
  lines.push('', paint.bold('Hooks of the sensor'));
  if (untried !== null) lines.push(`  not tried: ${untried}`);
  for (const [sees, group] of Map.groupBy(hooks, (hook) => hook.sees)) lines.push(...hookLines(sees, group, paint));
  return lines.join('\n');
}

const isWell = (checks: readonly Check[]): boolean => checks.every(({ ok }) => ok);

function checkLines(checks: readonly Check[], paint: Paint): string[] {
  return checks.flatMap((check) => [
    `  ${check.ok ? paint.green('✓') : paint.red('✗')} ${check.name.padEnd(20)} ${check.found}`,
    ...(check.ok
      ? []
      : [
          `      ${paint.dim('without it:')} ${check.costs}`,
          `      ${paint.dim('mend it:   ')} ${paint.cyan(check.fix)}`,
        ]),
  ]);
}

/** A terminal of 80 columns has room for all of it. */
const NAME_COLUMNS = 43;
const PROFILE_COLUMNS = 18;

/** A line for each family, with a column for each profile; below it what is wrong with its hooks, what that costs and what mends it. */
function hookLines(sees: string, group: readonly HookState[], paint: Paint): string[] {
  const profiles = (['baseline', 'full'] as const).map((name) => group.filter(({ profile }) => profile === name));
  const [baseline = [], full = []] = profiles;
  const broken = group.some(({ problem }) => problem !== null);
  const there = baseline.some(({ absent }) => !absent);
  const mark = broken ? paint.red('✗') : there ? paint.green('✓') : paint.dim('–');
  const counts = `${countOf(baseline).padEnd(PROFILE_COLUMNS)} ${full.length > 0 ? `full ${activeOf(full) ?? 'none'}` : ''}`;
  const lines = [`  ${mark} ${sees.padEnd(NAME_COLUMNS)} ${paint.dim(counts.trimEnd())}`];
  return [...lines, ...profiles.flatMap((hooks) => lossLines(hooks, paint))];
}

/** How many work of those that this kernel has a place for. */
function activeOf(hooks: readonly HookState[]): string | null {
  const there = hooks.filter(({ absent }) => !absent);
  const active = there.filter(({ problem }) => problem === null);
  return there.length === 0 ? null : `${active.length} of ${there.length}`;
}

function countOf(hooks: readonly HookState[]): string {
  const active = activeOf(hooks);
  return active === null ? 'not in this kernel' : `${active} active`;
}

function lossLines(hooks: readonly HookState[], paint: Paint): string[] {
  const broken = hooks.filter(({ problem }) => problem !== null);
  const lines = broken.map(({ section, problem }) => `      ${section}: ${problem}`);
  const [first] = broken;
  if (first !== undefined) lines.push(`      ${paint.dim('without it:')} ${first.loses}`);
  for (const fix of new Set(broken.map(({ fix }) => fix)))
    lines.push(`      ${paint.dim('mend it:   ')} ${paint.cyan(fix)}`);
  const [missing] = hooks;
  if (missing !== undefined && missing.loses !== '' && hooks.every(({ absent }) => absent))
    lines.push(
      `      ${paint.dim(`without ${missing.profile === 'full' ? 'the full profile' : 'it'}: ${missing.loses}`)}`,
    );
  return lines;
}
