import type { Incident, IncidentAlert } from '@ringfence/wire';
import { actionText } from './action.ts';
import { joinReason } from './reason.ts';
import { clockOf, tacticText } from './words.ts';

export interface TimelineLine {
  /** µs since the epoch; null: the line begins with its time of day, as 0.1.0 wrote it */
  readonly time: number | null;
  readonly text: string;
}

type TimedLine = TimelineLine & { readonly time: number };

/** Returns one line for each action and each join, in the order of time. */
export function timelineOf(incident: Incident): TimelineLine[] {
  if (incident.alerts.every(({ action }) => action === null))
    return incident.story.map((text) => ({ time: null, text }));
  return [...actionLines(incident), ...joinLines(incident)].sort((a, b) => a.time - b.time);
}

/** Returns the lines of the timeline with their time of day (UTC) in front. */
export const storyLines = (incident: Incident): string[] =>
  timelineOf(incident).map(({ time, text }) => (time === null ? text : `${clockOf(time)} ${text}`));

/** Several members may have joined because of one edge. */
function joinLines({ joined }: Incident): TimedLine[] {
  const lines = new Map<string, TimedLine>();
  for (const member of joined) {
    const text = joinReason(member);
    if (text !== '' && !lines.has(text)) lines.set(text, { time: member.at, text });
  }
  return [...lines.values()];
}

/** Alerts about one action share a line: their rules follow the action. */
function actionLines(incident: Incident): TimedLine[] {
  const hostnames = incident.hosts.length > 1 ? namesOf(incident) : null;
  const actions = new Map<string, { readonly line: TimedLine; readonly alerts: IncidentAlert[] }>();
  for (const alert of incident.alerts.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const host = hostnames === null ? '' : `on ${hostnames.get(alert.hostId) || alert.hostId}: `;
    // An alert of 0.1.0, in an incident that has newer alerts as well, has no action.
    const text = `${host}${alert.action === null ? alert.output : actionText(alert)}`;
    // Times are shown in seconds, so that actions of one second look the same.
    const key = `${alert.hostId} ${Math.floor(alert.timestamp / 1_000_000)} ${text}`;
    const known = actions.get(key);
    if (known === undefined) actions.set(key, { line: { time: alert.timestamp, text }, alerts: [alert] });
    else known.alerts.push(alert);
  }
  return [...actions.values()].map(({ line, alerts }) => ({
    time: line.time,
    text: `${line.text}: ${alerts.map(meaningOf).join('; ')}${repetitions(alerts)}`,
  }));
}

/** Names of hosts by id, as far as they are known. */
const namesOf = ({ hostId, hostname, joined }: Incident): ReadonlyMap<string, string> =>
  new Map([...joined.map((member) => [member.hostId, member.hostname] as const), [hostId, hostname]]);

/** "Download and execute (command and control, T1105)" */
function meaningOf({ rule, tactics, techniques }: IncidentAlert): string {
  const labels = [...tactics.map(tacticText), ...techniques];
  return labels.length === 0 ? rule : `${rule} (${labels.join(', ')})`;
}

function repetitions(alerts: readonly IncidentAlert[]): string {
  const more = Math.max(...alerts.map(({ count }) => count)) - 1;
  return more <= 0 ? '' : `; ${moreUntil(more, Math.max(...alerts.map(({ lastTimestamp }) => lastTimestamp)))}`;
}

const moreUntil = (more: number, last: number): string => `${more} more like it until ${clockOf(last)}`;
