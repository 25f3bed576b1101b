import { type Incident, Priorities, type Priority } from '@ringfence/wire';
import type { ChainContainer } from '../state/chain.ts';
import { spaced } from './words.ts';

const TITLE_PARTS = 5;

const rank = (priority: Priority): number => Priorities.indexOf(priority);

/** That of the worst alert; three distinct tactics are critical whatever they are. */
export function severityOf({
  alerts,
  stages,
}: Pick<Incident, 'stages'> & { readonly alerts: readonly Rated[] }): Priority {
  const worst = alerts.reduce<Priority>(
    (most, { priority }) => (rank(priority) > rank(most) ? priority : most),
    'debug',
  );
  return stages.length >= 3 && rank(worst) < rank('critical') ? 'critical' : worst;
}

/** An alert as far as a title tells of it. */
export interface Rated {
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly executable: string;
}

/** "Reverse shell, persistence and credential access by /bin/sh in container web-1 (image debug:1)" */
export function titleOf(
  { alerts, stages }: Pick<Incident, 'stages'> & { readonly alerts: readonly Rated[] },
  container: Pick<ChainContainer, 'id' | 'name' | 'image'> | null,
): string {
  const worst = alerts.reduce((most, alert) => (rank(alert.priority) > rank(most.priority) ? alert : most));
  const others = stages.map(({ tactic }) => tactic).filter((tactic) => !worst.tactics.includes(tactic));
  const parts = [worst.rule, ...others.map(spaced)];
  const shown =
    parts.length > TITLE_PARTS ? [...parts.slice(0, TITLE_PARTS - 1), `${parts.length - TITLE_PARTS + 1} more`] : parts;
  const what = shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
  const by = worst.executable === '' ? '' : ` by ${worst.executable.slice(0, 128)}`;
  if (container === null) return `${what}${by}`;
  const name = container.name === '' ? container.id.slice(0, 12) : container.name;
  return `${what}${by} in container ${name}${container.image === '' ? '' : ` (image ${container.image})`}`;
}
