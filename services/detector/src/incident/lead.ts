import { type IncidentLead, Priorities, type Priority, type Stage } from '@ringfence/wire';

const CRITICAL_STAGES = 3;

const rank = (priority: Priority): number => Priorities.indexOf(priority);

/** An alert as far as severity and lead depend on it. */
export interface RatedAlert {
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly executable: string;
}

/** Returns the most severe alert, the first of several, which names the incident. */
export function leadOf(alerts: readonly RatedAlert[]): IncidentLead {
  const { rule, tactics, executable } = alerts.reduce((worst, alert) =>
    rank(alert.priority) > rank(worst.priority) ? alert : worst,
  );
  return { rule, tactics, executable };
}

/** Returns the priority of the most severe alert; three distinct tactics are critical in any case. */
export function severityOf(alerts: readonly Pick<RatedAlert, 'priority'>[], stages: readonly Stage[]): Priority {
  const worst = alerts.reduce<Priority>(
    (most, { priority }) => (rank(priority) > rank(most) ? priority : most),
    'debug',
  );
  return stages.length >= CRITICAL_STAGES && rank(worst) < rank('critical') ? 'critical' : worst;
}
