import type { Paint } from '@ringfence/base';
import type { Check, HookState } from '@ringfence/doctor';

export interface Findings {
  readonly machine: readonly Check[];
  readonly fleet: readonly Check[];
  readonly hooks: readonly HookState[];
  /** Why the hooks were not tried; null if they were, or if this process needs none. */
  readonly untried: string | null;
}

export function doctorText({ machine, fleet, hooks, untried }: Findings, paint: Paint): string {
  const lines = [paint.bold('This machine'), ...checkLines(machine, paint)];
  if (fleet.length > 0) lines.push('', paint.bold('The fleet, as seen from this machine'), ...checkLines(fleet, paint));
  if (untried === null && hooks.length === 0) return lines.join('\n');
  lines.push('', paint.bold('Sensor hooks'));
  if (untried !== null) lines.push(`  not tried: ${untried}`);
  for (const [sees, group] of Map.groupBy(hooks, (hook) => hook.sees)) lines.push(...familyLines(sees, group, paint));
  return lines.join('\n');
}

function checkLines(checks: readonly Check[], paint: Paint): string[] {
  return checks.flatMap((check) => [
    `  ${check.ok ? paint.green('✓') : paint.red('✗')} ${check.name.padEnd(20)} ${check.found}`,
    ...(check.ok
      ? []
      : [`      ${paint.dim('impact:')} ${check.costs}`, `      ${paint.dim('fix:   ')} ${paint.cyan(check.fix)}`]),
  ]);
}

/** Column widths for a terminal of 80 columns. */
const NAME_COLUMNS = 43;
const PROFILE_COLUMNS = 18;

/**
 * Formats a family of hooks as one line with a column for each profile. Lines below it name the hooks that fail, with
 * the impact and the fix.
 */
function familyLines(sees: string, group: readonly HookState[], paint: Paint): string[] {
  const profiles = (['baseline', 'full'] as const).map((name) => group.filter(({ profile }) => profile === name));
  const [baseline = [], full = []] = profiles;
  const isBroken = group.some(({ problem }) => problem !== null);
  const isPresent = baseline.some(({ absent }) => !absent);
  const mark = isBroken ? paint.red('✗') : isPresent ? paint.green('✓') : paint.dim('–');
  const fullCount = full.length > 0 ? `full ${activeOf(full) ?? 'none'}` : '';
  const counts = `${countOf(baseline).padEnd(PROFILE_COLUMNS)} ${fullCount}`;
  const lines = [`  ${mark} ${sees.padEnd(NAME_COLUMNS)} ${paint.dim(counts.trimEnd())}`];
  return [...lines, ...profiles.flatMap((hooks) => problemLines(hooks, paint))];
}

/** Returns how many of the hooks that this kernel supports are active, or null if it supports none. */
function activeOf(hooks: readonly HookState[]): string | null {
  const present = hooks.filter(({ absent }) => !absent);
  const active = present.filter(({ problem }) => problem === null);
  return present.length === 0 ? null : `${active.length} of ${present.length}`;
}

function countOf(hooks: readonly HookState[]): string {
  const active = activeOf(hooks);
  return active === null ? 'not in this kernel' : `${active} active`;
}

function problemLines(hooks: readonly HookState[], paint: Paint): string[] {
  const broken = hooks.filter(({ problem }) => problem !== null);
  const lines = broken.map(({ section, problem }) => `      ${section}: ${problem}`);
  const [first] = broken;
  if (first !== undefined) lines.push(`      ${paint.dim('impact:')} ${first.loses}`);
  for (const fix of new Set(broken.map(({ fix }) => fix)))
    lines.push(`      ${paint.dim('fix:   ')} ${paint.cyan(fix)}`);
  const [absent] = hooks.every((hook) => hook.absent) ? hooks : [];
  if (absent !== undefined && absent.loses !== '') {
    const cause = absent.profile === 'full' ? 'without the full profile' : 'impact';
    lines.push(`      ${paint.dim(`${cause}: ${absent.loses}`)}`);
  }
  return lines;
}
