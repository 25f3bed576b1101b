import { type Act, type Approval, commandId, type Reach } from '@ringfence/wire';
import { PLAYBOOK_PREFIX } from '../policy/policy.ts';
import type { Target } from '../steps/target.ts';

/** What belongs to an order of a run: the same order has the same id. */
export interface OfRun {
  /** Id of the run */
  readonly id: string;
  /** Number of the step, from 0 */
  readonly ordinal: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly approvals: readonly Approval[];
}

/** Returns the id of a step's command, which is the same after a crash. */
export function idOfOrder(
  { id, ordinal }: OfRun,
  action: Act,
  reach: Reach,
  { entityId, hostId }: Pick<Target, 'entityId' | 'hostId'>,
): string {
  return commandId(id, `${action}/${reach}`, entityId === '' ? hostId : entityId, ordinal);
}

/** Returns the id of the one run of a playbook for an incident, or for a process of it. */
export const runId = (playbook: string, incident: string, entityId: string): string =>
  `run-${commandId(incident, PLAYBOOK_PREFIX + playbook, entityId, 0)}`;
