import type { InRecord, OutRecord } from '@ringfence/bus';
import type { InputPosition } from '@ringfence/service-kit';
import {
  type Alert,
  decode,
  encodeSigned,
  type Incident,
  type RunStart,
  type SigningKey,
  TOPIC,
} from '@ringfence/wire';
import type { ResponderMetrics } from '../metrics.ts';
import { runId } from '../playbook/ids.ts';
import type { Playbook } from '../playbook/playbook.ts';
import { keptValues } from '../playbook/values.ts';
import { applies } from '../policy/policy.ts';
import { type Memory, positionOf } from '../state/memory.ts';
import { subjectOf } from './decide.ts';
import { type IncidentSummary, incidentTarget, summaryOf, type Target, targetOf } from './target.ts';

export interface StartDeps {
  /** Read for each record, so that playbooks can change. */
  readonly playbooks: () => readonly Playbook[];
  /** Signs the signals. */
  readonly key: SigningKey;
  readonly memory: Memory;
  readonly metrics: ResponderMetrics;
}

/** A process that a run may be about. */
export interface Candidate {
  /** Id of the alert or incident */
  readonly cause: string;
  /** Id of the incident; empty: unknown */
  readonly incident: string;
  /** null: the cause is an alert. */
  readonly summary: IncidentSummary | null;
  readonly target: Target;
  /** Values of the alert, by field */
  readonly fields: Readonly<Record<string, string>>;
}

type Step = (record: InRecord, value: Uint8Array) => readonly OutRecord[];

/**
 * Returns the step that begins runs for alerts. A run begins in the partition of its host, where the Results of its
 * commands arrive: the step writes a signal to that partition, once for a run. The signature of the alert is verified.
 */
export function createStartForAlert(deps: StartDeps): Step {
  return function startForAlert(record, value) {
    const playbooks = deps.playbooks().filter(({ when }) => when.incident === undefined);
    if (playbooks.length === 0) return [];
    const candidates = candidatesOfAlert(decode('Alert', value));
    return candidates.flatMap((candidate) => started(deps, playbooks, candidate, positionOf(record)));
  };
}

/** Returns the step that begins runs for the alerts of incidents, like `createStartForAlert`. */
export function createStartForIncident(deps: StartDeps): Step {
  return function startForIncident(record, value) {
    const playbooks = deps.playbooks().filter(({ when }) => when.incident !== undefined);
    if (playbooks.length === 0) return [];
    const incident = decode('Incident', value);
    if (incident.state !== 'open') return [];
    return candidatesOfIncident(incident).flatMap((each) => started(deps, playbooks, each, positionOf(record)));
  };
}

/** Returns the process of an alert; none if no process caused it. */
export function candidatesOfAlert(alert: Alert): Candidate[] {
  const target = targetOf(alert);
  if (target === undefined) return [];
  const { id: cause, incident, fields } = alert;
  return [{ cause, incident, summary: null, target, fields }];
}

/** Returns the processes of an incident's alerts. */
export function candidatesOfIncident(incident: Incident): Candidate[] {
  const { id } = incident;
  const summary = summaryOf(incident);
  return incident.alerts.flatMap((alert) => {
    const target = incidentTarget(alert);
    const fields = alert.action?.objects ?? {};
    return target === undefined ? [] : [{ cause: id, incident: id, summary, target, fields }];
  });
}

/** Returns the playbooks that apply, each with the run that it would begin. */
export function runsOf(
  playbooks: readonly Playbook[],
  candidate: Candidate,
): { readonly id: string; readonly playbook: Playbook; readonly begun: RunStart }[] {
  const { cause, incident, summary, target } = candidate;
  const subject = subjectOf(target, summary);
  return playbooks
    .filter((playbook) => applies(playbook, subject))
    .map((playbook) => ({
      id: runId(playbook.playbook, incident || cause, playbook.per === 'process' ? target.entityId : ''),
      playbook,
      begun: startOf(playbook, candidate),
    }));
}

function started(
  { key, memory, metrics }: StartDeps,
  playbooks: readonly Playbook[],
  candidate: Candidate,
  position: InputPosition,
): OutRecord[] {
  const { hostId, alertId, timestamp } = candidate.target;
  return runsOf(playbooks, candidate).flatMap(({ id, begun }) => {
    if (memory.orders.get(id) !== undefined) return [];
    memory.orders.set(id, { at: timestamp, commandId: '', alertId }, position);
    metrics.run('started');
    const signal = { id, hostId, step: -1, at: timestamp, begun, approvals: [] };
    return [{ topic: TOPIC.runs, key: hostId, value: encodeSigned('RunSignal', signal, key) }];
  });
}

function startOf(playbook: Playbook, { cause, incident, summary, target, fields }: Candidate): RunStart {
  const { alertId, rule, priority, timestamp, bootId, entityId, pid, start, executable } = target;
  return {
    ...{ playbook: playbook.playbook, mode: playbook.mode, steps: JSON.stringify(playbook.steps) },
    ...{ cause, incident, stages: summary?.stages ?? 0, alertId, rule, priority, timestamp },
    ...{ bootId, entityId, pid, start, executable, values: keptValues(fields) },
  };
}
