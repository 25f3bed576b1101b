import type { InRecord, OutRecord } from '@ringfence/bus';
import { decode } from '@ringfence/wire';
import type { PolicySet, Verdict } from '../policy/policy-set.ts';
import { type Memory, type Place, placeOf } from './memory.ts';
import type { Cause } from './order-kill.ts';
import { type IncidentSummary, summaryOf, type Target, targetOf } from './target.ts';
import { checkSignature, type Trusted } from './verify.ts';

export interface DecideDeps {
  /** read anew for each record, so that policies can change */
  readonly policies: () => PolicySet;
  readonly memory: Memory;
  /** keys of the detectors; undefined: nothing is verified, as on a log that is root's alone */
  readonly trusted: Trusted | undefined;
  readonly orderKill: (cause: Cause, place: Place) => readonly OutRecord[];
}

/** What an alert leads to: its own kill, and that of an incident which named it before it came. */
export function createDecideAlert(deps: DecideDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  const { policies, memory, trusted, orderKill } = deps;
  return function decideAlert(record, value) {
    const alert = decode('Alert', value);
    if (trusted !== undefined) checkSignature(trusted, 'alert', alert, value);
    const target = targetOf(alert);
    if (target === undefined) return [];
    const place = placeOf(record);
    const verdict = policies().judge(subjectOf(target, null));
    const outputs = verdict === undefined ? [] : orderKill(ruleCause(target, verdict, record.timestamp), place);
    if (!policies().watchesIncidents) return outputs;
    const incident = memory.sightings.get(target.alertId)?.incident ?? null;
    if (memory.sightings.get(target.alertId)?.target == null)
      memory.sightings.set(target.alertId, { target, incident }, place);
    return incident === null ? outputs : [...outputs, ...answerIncident(deps, target, incident, record)];
  };
}

/** What an incident leads to: the kill of each process whose alert a policy for incidents selects. */
export function createDecideIncident(deps: DecideDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  const { policies, memory, trusted } = deps;
  return function decideIncident(record, value) {
    const incident = decode('Incident', value);
    if (trusted !== undefined) checkSignature(trusted, 'incident', incident, value);
    if (!policies().watchesIncidents || incident.state !== 'open') return [];
    const place = placeOf(record);
    const summary = summaryOf(incident);
    return incident.alerts.flatMap(({ id }) => {
      const target = memory.sightings.get(id)?.target ?? null;
      memory.sightings.set(id, { target, incident: summary }, place);
      return target === null ? [] : answerIncident(deps, target, summary, record);
    });
  };
}

function answerIncident(
  { policies, orderKill }: DecideDeps,
  target: Target,
  incident: IncidentSummary,
  record: InRecord,
): readonly OutRecord[] {
  const verdict = policies().judge(subjectOf(target, incident));
  if (verdict === undefined) return [];
  const reason = `incident ${incident.id} (${incident.severity}, ${incident.stages} stages): policy "${verdict.policy}"`;
  return orderKill({ id: incident.id, target, verdict, reason, since: record.timestamp }, placeOf(record));
}

function ruleCause(target: Target, verdict: Verdict, since: number): Cause {
  const reason = `rule "${target.rule}" (${target.priority}): policy "${verdict.policy}"`;
  return { id: target.alertId, target, verdict, reason, since };
}

function subjectOf(target: Target, incident: IncidentSummary | null) {
  const { rule, priority, tactics, hostId, cgroupPath, image } = target;
  return {
    rule,
    priority,
    tactics,
    hostId,
    cgroupPath,
    image,
    incident,
    action: incident === null ? target.action : null,
  };
}
