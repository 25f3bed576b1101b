import type { IncidentAlert } from '@ringfence/wire';
import type { ItemOf } from '../../sink.ts';
import { summaryOf } from '../summary.ts';
import { ruleOf } from './alert.ts';
import { attacksOf, baseEvent, containerOf, deviceOf, type Ocsf } from './common.ts';

const ACTIVITY = { create: 1, update: 2, close: 3 } as const;
const STATUS: Readonly<Record<string, number>> = { new: 1, triaged: 2, contained: 2, closed: 5 };
const VERDICT: Readonly<Record<string, number>> = { undecided: 0, false_positive: 1, true_positive: 2 };

/** A version of an incident as an Incident Finding (2005), with one finding for each alert. */
export function incidentFinding(item: ItemOf<'incident'>): Ocsf {
  const { document } = item;
  const { title, tactics, techniques } = summaryOf(item);
  const status = String(document['ringfence.incident.status'] ?? '');
  const score = document['ringfence.incident.score'];
  return {
    ...baseEvent(item, {
      uid: 2005,
      name: 'Incident Finding',
      activity: activityOf(item),
      profiles: ['host', 'container', 'security_control'],
    }),
    is_alert: true,
    status_id: STATUS[status] ?? 0,
    status_detail: status,
    verdict_id: VERDICT[String(document['ringfence.incident.verdict'] ?? '')] ?? 0,
    desc: [document['ringfence.incident.story'] ?? []].flat().join('\n'),
    start_time: millisOf(document['event.start']),
    end_time: millisOf(document['event.end']),
    ...(typeof score === 'number' ? { risk_score: Math.round(score) } : {}),
    // OCSF wants somebody who is in charge, and Ringfence does not know whom the far side chooses.
    assignee_group: { name: 'unassigned' },
    attacks: attacksOf(tactics, techniques),
    device: deviceOf(item, containerOf(item)),
    finding_info_list: findingsOf(item, title),
  };
}

function activityOf({ document }: ItemOf<'incident'>): number {
  const [state, status] = [document['ringfence.incident.state'], document['ringfence.incident.status']];
  if (status === 'closed' || state === 'closed' || state === 'merged') return ACTIVITY.close;
  return document['ringfence.incident.version'] === 1 ? ACTIVITY.create : ACTIVITY.update;
}

function findingsOf({ document, group }: ItemOf<'incident'>, title: string): Ocsf[] {
  const whole = document['ringfence.incident.whole'] as { readonly alerts?: readonly IncidentAlert[] } | undefined;
  const alerts = Array.isArray(whole?.alerts) ? (whole.alerts as readonly IncidentAlert[]) : [];
  if (alerts.length === 0) return [{ uid: group, title }];
  return alerts.map(({ id, rule, output, timestamp, lastTimestamp, count, tactics, techniques }) => ({
    uid: id,
    title: rule,
    desc: output,
    first_seen_time: Math.floor(timestamp / 1000),
    last_seen_time: Math.floor(Math.max(timestamp, lastTimestamp) / 1000),
    related_events_count: count,
    analytic: ruleOf(rule),
    attacks: attacksOf(tactics, techniques),
  }));
}

function millisOf(time: unknown): number | undefined {
  const millis = Date.parse(String(time));
  return Number.isNaN(millis) ? undefined : millis;
}
