import { type Alert, asBuffer, type Incident, type IncidentAlert, type Priority } from '@ringfence/wire';

/** A process that may be killed, with the facts that policies look at. */
export interface Target {
  readonly alertId: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  /** The action that the rule asks for; null when it is unknown, because an incident does not have it. */
  readonly action: string | null;
  /** µs since the epoch */
  readonly timestamp: number;
  readonly hostId: string;
  readonly bootId: string;
  readonly entityId: string;
  readonly pid: number;
  /** The 8 bytes of the wire */
  readonly start: Buffer;
  readonly executable: string;
  /** Empty: unknown. */
  readonly cgroupPath: string;
  /** Empty: none. */
  readonly image: string;
}

/** Returns the process of the alert; undefined if no process caused it. */
export function targetOf(alert: Alert): Target | undefined {
  const process = alert.lineage[0];
  if (process === undefined) return undefined;
  const { id: alertId, rule, priority, tactics, action, timestamp, hostId, bootId, container } = alert;
  const { entityId, pid, executable } = process;
  return {
    ...{ alertId, rule, priority, tactics, action, timestamp, hostId, bootId, entityId, pid, executable },
    start: asBuffer(process.start),
    cgroupPath: alert.cgroupPath !== '' ? alert.cgroupPath : (container?.path ?? ''),
    image: container?.image ?? '',
  };
}

/** Returns the process of an alert of an incident; undefined if the incident does not have it. */
export function incidentTarget(alert: IncidentAlert): Target | undefined {
  const { id: alertId, rule, priority, tactics, timestamp, hostId, process, target } = alert;
  if (process === null || target === null) return undefined;
  const { entityId, pid, executable } = process;
  const { bootId, start, cgroupPath, image } = target;
  return {
    ...{ alertId, rule, priority, tactics, action: null, timestamp, hostId, bootId, entityId, pid, executable },
    ...{ start: asBuffer(start), cgroupPath, image },
  };
}

/** Returns whether a process caused the alert, but a detector of 0.1.0 wrote it without the facts for a command. */
export const lacksTarget = ({ entityId, target }: IncidentAlert): boolean => entityId !== '' && target === null;

/** The facts of an incident that policies look at. */
export interface IncidentSummary {
  readonly id: string;
  readonly severity: Priority;
  /** Distinct tactics */
  readonly stages: number;
}

export function summaryOf(incident: Incident): IncidentSummary {
  const stages = new Set(incident.stages.map(({ tactic }) => tactic)).size;
  return { id: incident.id, severity: incident.severity, stages };
}
