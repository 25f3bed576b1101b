import { type Alert, asBuffer, type Incident, type Priority } from '@ringfence/wire';

/** A process that may be killed, and what policies look at, as one alert tells it. */
export interface Target {
  readonly alertId: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly action: string;
  /** µs since the epoch */
  readonly timestamp: number;
  readonly hostId: string;
  readonly bootId: string;
  readonly entityId: string;
  readonly pid: number;
  /** hex of the 8 bytes */
  readonly start: string;
  readonly executable: string;
  readonly cgroupPath: string;
  readonly image: string;
}

/** The alert's own process; undefined: no process did it. */
export function targetOf(alert: Alert): Target | undefined {
  const process = alert.lineage[0];
  if (process === undefined) return undefined;
  const { id: alertId, rule, priority, tactics, action, timestamp, hostId, bootId, container } = alert;
  const { entityId, pid, executable } = process;
  return {
    alertId,
    rule,
    priority,
    tactics,
    action,
    timestamp,
    hostId,
    bootId,
    entityId,
    pid,
    executable,
    start: asBuffer(process.start).toString('hex'),
    cgroupPath: alert.cgroupPath !== '' ? alert.cgroupPath : (container?.path ?? ''),
    image: container?.image ?? '',
  };
}

/** What of an incident policies look at. */
export interface IncidentSummary {
  readonly id: string;
  readonly severity: Priority;
  readonly stages: number;
}

export function summaryOf(incident: Incident): IncidentSummary {
  const stages = new Set(incident.stages.map(({ tactic }) => tactic)).size;
  return { id: incident.id, severity: incident.severity, stages };
}
