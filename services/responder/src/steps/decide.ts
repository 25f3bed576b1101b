import { type Log, LogThrottle } from '@ringfence/base';
import type { InRecord, OutRecord } from '@ringfence/bus';
import type { InputPosition } from '@ringfence/service-kit';
import { decode, type Incident } from '@ringfence/wire';
import type { ResponderMetrics } from '../metrics.ts';
import type { Subject } from '../policy/policy.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { positionOf } from '../state/memory.ts';
import type { Cause } from './order-kill.ts';
import { type IncidentSummary, incidentTarget, lacksTarget, summaryOf, type Target, targetOf } from './target.ts';
import { checkSignature, type Trusted } from './verify.ts';

export interface DecideDeps {
  /** Read for each record, so that policies can change. */
  readonly policies: () => PolicySet;
  /** Keys of the detectors. undefined: nothing is verified, as on a log that only root can write. */
  readonly trusted: Trusted | undefined;
  readonly orderKill: (cause: Cause, position: InputPosition) => readonly OutRecord[];
  readonly metrics: ResponderMetrics;
  readonly log: Log;
}

const WARN_EVERY_MS = 60_000;

/** Returns the step for alerts: it orders the kill of the alert's process. The step throws ForgedRecordError. */
export function createDecideAlert(deps: DecideDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  const { policies, trusted, orderKill } = deps;
  return function decideAlert(record, value) {
    const alert = decode('Alert', value);
    if (trusted !== undefined) checkSignature(trusted, 'alert', alert, value);
    const target = targetOf(alert);
    if (target === undefined) return [];
    const verdict = policies().judge(subjectOf(target, null));
    if (verdict === undefined) return [];
    const reason = `rule "${target.rule}" (${target.priority}): policy "${verdict.policy}"`;
    return orderKill({ id: alert.id, target, verdict, reason, since: record.timestamp }, positionOf(record));
  };
}

/**
 * Returns the step for incidents: it orders the kill of each process that has an alert which a policy for incidents
 * selects. The step throws ForgedRecordError.
 */
export function createDecideIncident(deps: DecideDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  const { policies, trusted, orderKill } = deps;
  const warnings = new LogThrottle(WARN_EVERY_MS);
  return function decideIncident(record, value) {
    const incident = decode('Incident', value);
    if (trusted !== undefined) checkSignature(trusted, 'incident', incident, value);
    if (!policies().watchesIncidents || incident.state !== 'open') return [];
    if (incident.alerts.some(lacksTarget)) refuseWithoutTarget(deps, warnings, incident);
    const summary = summaryOf(incident);
    return incident.alerts.flatMap((alert) => {
      const target = incidentTarget(alert);
      const verdict = target && policies().judge(subjectOf(target, summary));
      if (target === undefined || verdict === undefined) return [];
      const { id, severity, stages } = summary;
      const reason = `incident ${id} (${severity}, ${stages} stages): policy "${verdict.policy}"`;
      return orderKill({ id, target, verdict, reason, since: record.timestamp }, positionOf(record));
    });
  };
}

/** Without a target, a policy can't judge the cgroup, and a command can't name the process. */
function refuseWithoutTarget({ metrics, log }: DecideDeps, warnings: LogThrottle, incident: Incident): void {
  metrics.refused('no-target');
  const suppressed = warnings.shouldLog('no-target');
  if (suppressed === null) return;
  log.warn(
    { incident: incident.id, host: incident.hostId, suppressed },
    'an incident has alerts without a target, which lead to no kill: a detector of 0.1.0 raised them; upgrade the detectors',
  );
}

export function subjectOf(target: Target, incident: IncidentSummary | null): Subject {
  const { rule, priority, tactics, hostId, cgroupPath, image, action } = target;
  return { rule, priority, tactics, hostId, cgroupPath, image, action, incident };
}
