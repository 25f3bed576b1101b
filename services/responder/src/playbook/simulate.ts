import type { Alert, Incident } from '@ringfence/wire';
import { type Candidate, candidatesOfAlert, candidatesOfIncident, runsOf } from '../steps/start-runs.ts';
import { type Played, play } from './play.ts';
import type { Playbook } from './playbook.ts';

/** A run that would have begun. */
export interface SimulatedRun extends Played {
  readonly run: string;
  readonly playbook: string;
  /** Mode of the playbook: `observe` would have recorded the steps only. */
  readonly mode: Playbook['mode'];
  /** Id of the incident, or of the alert where no incident is known */
  readonly cause: string;
  readonly host: string;
  readonly rule: string;
  readonly pid: number;
  readonly executable: string;
  /** µs since the epoch */
  readonly at: number;
}

/**
 * Plays playbooks on stored alerts and incidents: what would have been done to whom, if every action had been carried
 * out and every approval given. Each run begins once, with the oldest alert that it fits. Nothing is ordered.
 */
export function simulate(
  playbooks: readonly Playbook[],
  alerts: readonly Alert[],
  incidents: readonly Incident[],
): SimulatedRun[] {
  const candidates: Candidate[] = [...alerts.flatMap(candidatesOfAlert), ...incidents.flatMap(candidatesOfIncident)];
  candidates.sort((a, b) => a.target.timestamp - b.target.timestamp);
  const runs = new Map<string, SimulatedRun>();
  for (const candidate of candidates) {
    const isAlert = candidate.summary === null;
    const fitting = playbooks.filter(({ when }) => (when.incident === undefined) === isAlert);
    for (const { id, playbook, begun } of runsOf(fitting, candidate)) {
      if (runs.has(id)) continue;
      const { hostId: host, pid, executable, rule, timestamp: at } = candidate.target;
      const { playbook: name, mode } = playbook;
      const cause = candidate.incident || candidate.cause;
      const about = { run: id, playbook: name, mode, cause, host, rule, pid, executable, at };
      runs.set(id, { ...about, ...play(begun, host) });
    }
  }
  return [...runs.values()];
}
