import type { Paint } from '@ringfence/base';
import type { Check, HookState } from '@ringfence/doctor';

export interface Findings {
  readonly machine: readonly Check[];
  readonly fleet: readonly Check[];
  readonly hooks: readonly HookState[];
  /** why no hook was tried; null: they were, or none is needed */
  readonly untried: string | null;
}

export function doctorText({ machine, fleet, hooks, untried }: Findings, paint: Paint): string {
  const lines = [paint.bold('This machine'), ...checkLines(machine, paint)];
  if (fleet.length > 0) lines.push('', paint.bold('The fleet, from here'), ...checkLines(fleet, paint));
  if (untried === null && hooks.length === 0) return lines.join('\n');
  lines.push('', paint.bold('Hooks of the sensor'));
  if (untried !== null) lines.push(`  not tried: ${untried}`);
  for (const [sees, group] of Map.groupBy(hooks, (hook) => hook.sees)) lines.push(...hookLines(sees, group, paint));
  return lines.join('\n');
}

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
