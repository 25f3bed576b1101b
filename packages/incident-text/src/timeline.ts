import type { Incident, IncidentAlert } from '@ringfence/wire';
import { actionText } from './action.ts';
import { joinReason } from './reason.ts';
import { clockOf, tacticText } from './words.ts';

/** An action of an incident with the alerts that it raised, or a join with the chain of another host. */
export interface TimelineStep {
  /** µs since the epoch; null: the text begins with its time of day, as 0.1.0 wrote it */
  readonly time: number | null;
  readonly text: string;
  readonly alerts: readonly IncidentAlert[];
  /** Number of similar actions after this action, and µs since the epoch of the last. */
  readonly repeats: { readonly count: number; readonly until: number } | null;
}

type TimedStep = TimelineStep & { readonly time: number };

/** Returns a step for each action and each join, in the order of time. */
export function timelineOf(incident: Incident): TimelineStep[] {
  if (incident.alerts.every(({ action }) => action === null))
    return incident.story.map((text) => ({ time: null, text, alerts: [], repeats: null }));
  return [...actionSteps(incident), ...joinSteps(incident)].sort((a, b) => a.time - b.time);
}

/** Returns the timeline as text: each line has its time of day (UTC), the action and the rules that it matched. */
export const storyLines = (incident: Incident): string[] => timelineOf(incident).map(lineOf);

function lineOf({ time, text, alerts, repeats }: TimelineStep): string {
  const clock = time === null ? '' : `${clockOf(time)} `;
  const rules = alerts.length === 0 ? '' : `: ${alerts.map(meaningOf).join('; ')}`;
  const more = repeats === null ? '' : `; ${repeats.count} more like it until ${clockOf(repeats.until)}`;
  return `${clock}${text}${rules}${more}`;
}

/** Several members may have joined because of one edge. */
function joinSteps({ joined }: Incident): TimedStep[] {
  const steps = new Map<string, TimedStep>();
  for (const member of joined) {
    const text = joinReason(member);
    if (text !== '' && !steps.has(text)) steps.set(text, { time: member.at, text, alerts: [], repeats: null });
  }
  return [...steps.values()];
}

/** Alerts about one action share a step. */
function actionSteps(incident: Incident): TimedStep[] {
  const hostnames = incident.hosts.length > 1 ? namesOf(incident) : null;
  const actions = new Map<string, { readonly time: number; readonly text: string; readonly alerts: IncidentAlert[] }>();
  for (const alert of incident.alerts.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const host = hostnames === null ? '' : `on ${hostnames.get(alert.hostId) || alert.hostId}: `;
    // An alert of 0.1.0, in an incident that has newer alerts as well, has no action.
    const text = `${host}${alert.action === null ? alert.output : actionText(alert)}`;
    // Times are shown in seconds, so that actions of one second look the same.
    const key = `${alert.hostId} ${Math.floor(alert.timestamp / 1_000_000)} ${text}`;
    const known = actions.get(key);
    if (known === undefined) actions.set(key, { time: alert.timestamp, text, alerts: [alert] });
    else known.alerts.push(alert);
  }
  return [...actions.values()].map((action) => ({ ...action, repeats: repeatsOf(action.alerts) }));
}

/** Names of hosts by id, as far as they are known. */
const namesOf = ({ hostId, hostname, joined }: Incident): ReadonlyMap<string, string> =>
  new Map([...joined.map((member) => [member.hostId, member.hostname] as const), [hostId, hostname]]);

/** "Download and execute (command and control, T1105)" */
function meaningOf({ rule, tactics, techniques }: IncidentAlert): string {
  const labels = [...tactics.map(tacticText), ...techniques];
  return labels.length === 0 ? rule : `${rule} (${labels.join(', ')})`;
}

function repeatsOf(alerts: readonly IncidentAlert[]): TimelineStep['repeats'] {
  const count = Math.max(...alerts.map((alert) => alert.count)) - 1;
  return count <= 0 ? null : { count, until: Math.max(...alerts.map(({ lastTimestamp }) => lastTimestamp)) };
}
