import type { Dashboard } from '../model.ts';
import { dashboardId } from '../sources.ts';
import { count, hosts, newest, terms } from './parts.ts';
import { DEAD_LETTERS } from './searches.ts';

const GAP = 'event.action : "gap"';

/** Names the figures that the cluster lacks, because a panel without data would look like health. */
const ELSEWHERE = `**Not in this cluster**: rates of the sensor, fill of rings and spools, lag of each service and backlog of each sink.
They are metrics of each process at \`/metrics\` (\`metrics.listen\`) for Prometheus, and on a terminal:

- \`ringfence status\`: rates, lag, losses by cause
- \`ringfence stats\`: where every event went, by kind
- \`ringfence topology --fleet\`: members and lag of each service`;

export const HEALTH: Dashboard = {
  id: dashboardId('health'),
  title: 'Ringfence: pipeline health',
  description:
    'What arrives, how late, what was lost and why. Documents of losses name a host, so the control is that.',
  from: 'now-24h',
  controls: [{ title: 'Host', source: 'events', field: 'host.id' }],
  rows: [
    {
      height: 5,
      panels: [
        {
          type: 'metric',
          title: 'Lost events',
          description: 'Events whose numbers never arrived. 0: no loss was found.',
          width: 12,
          source: 'events',
          query: GAP,
          measure: { op: 'sum', field: 'event.count', label: 'Lost events' },
        },
        {
          type: 'metric',
          title: 'Silent hosts',
          description: 'Hosts whose agent stopped sending without saying so. 0: none did in this time.',
          width: 12,
          source: 'alerts',
          query: 'event.action : "silence"',
          measure: { ...hosts, label: 'Hosts that fell silent' },
        },
        {
          type: 'metric',
          title: 'Hosts',
          description: 'Hosts that sent events. 0: nothing arrives: look at the auditor and the brokers.',
          width: 12,
          source: 'events',
          measure: { ...hosts, label: 'Hosts that sent events' },
        },
        {
          type: 'metric',
          title: 'Delay',
          description: 'Average time from an event to its arrival in the cluster, in ms. No value: nothing arrived.',
          width: 12,
          source: 'events',
          measure: { op: 'average', field: 'ringfence.delay', label: 'ms from event to cluster' },
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'series',
          title: 'Records over time',
          description: 'Records in the audit trail by kind. Empty: nothing was stored.',
          width: 24,
          source: 'audit',
          shape: 'bar',
          measure: count('Records'),
          breakdown: terms('ringfence.audit.kind', 'Kind', 12),
        },
        {
          type: 'series',
          title: 'Delay over time',
          description:
            'Largest time from an event to its arrival, in ms: it grows while a service lags behind. Empty: nothing arrived.',
          width: 24,
          source: 'events',
          shape: 'line',
          measure: { op: 'max', field: 'ringfence.delay', label: 'ms' },
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'series',
          title: 'Losses over time',
          description: 'Lost events by cause. Empty: no loss was found.',
          width: 24,
          source: 'events',
          query: GAP,
          shape: 'bar',
          measure: { op: 'sum', field: 'event.count', label: 'Lost events' },
          breakdown: terms('gap.reason', 'Cause', 8),
        },
        {
          type: 'table',
          title: 'Losses by host and cause',
          description: 'Lane `security` has what rules need most. Empty: no loss was found.',
          width: 24,
          source: 'events',
          query: GAP,
          rows: [terms('host.id', 'Host', 20), terms('gap.reason', 'Cause', 8), terms('gap.lane', 'Lane', 4)],
          measures: [{ op: 'sum', field: 'event.count', label: 'Lost events' }, count('Gaps'), newest],
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'table',
          title: 'Silent hosts',
          description: 'Alerts about agents that fell silent. Empty: none did.',
          width: 16,
          source: 'alerts',
          query: 'event.action : "silence"',
          rows: [terms('host.id', 'Host', 30), terms('rule.name', 'Rule', 3)],
          measures: [count('Alerts'), newest],
        },
        {
          type: 'table',
          title: 'Positions of the auditor',
          description:
            'Next offset of each topic, and when it was written. They name no host, so a filter by host hides them. Empty: no auditor wrote in this time.',
          width: 16,
          source: 'heads',
          rows: [terms('topic', 'Topic', 20)],
          measures: [
            { op: 'max', field: 'next', label: 'Highest offset' },
            { op: 'unique', field: 'partition', label: 'Partitions' },
            { op: 'max', field: 'updated', label: 'Written' },
          ],
        },
        {
          type: 'markdown',
          title: 'Rates, lag and backlogs',
          description: 'Where the other figures are.',
          width: 16,
          text: ELSEWHERE,
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          type: 'search',
          title: 'Dead letters',
          description:
            'Records that no service could handle. They name no host, so a filter by host hides them. Empty: none.',
          width: 48,
          search: DEAD_LETTERS,
        },
      ],
    },
  ],
};
