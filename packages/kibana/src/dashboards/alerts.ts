import type { Dashboard } from '../model.ts';
import { dashboardId } from '../sources.ts';
import { count, hosts, newest, severity, terms, whereAndWho } from './parts.ts';
import { ALERTS as ALERT_LIST } from './searches.ts';

export const ALERTS: Dashboard = {
  id: dashboardId('alerts'),
  title: 'Ringfence: alerts',
  description: 'Which rules fire, for which techniques, how rarely, and which of them are noise.',
  from: 'now-7d',
  controls: [...whereAndWho('alerts'), severity('alerts')],
  rows: [
    {
      height: 5,
      panels: [
        {
          type: 'metric',
          title: 'Alerts',
          description: '0: no rule matched in this time, or no alert reached the cluster: see Pipeline health.',
          width: 12,
          source: 'alerts',
          measure: count('Alerts'),
        },
        {
          type: 'metric',
          title: 'Critical',
          description: 'Alerts of priority critical or higher. 0: there is none.',
          width: 12,
          source: 'alerts',
          query: 'event.severity >= 90',
          measure: count('Critical or higher'),
        },
        {
          type: 'metric',
          title: 'Rules',
          description: 'Different rules that fired. 0: none did.',
          width: 12,
          source: 'alerts',
          measure: { op: 'unique', field: 'rule.name', label: 'Rules that fired' },
        },
        {
          type: 'metric',
          title: 'Chains',
          description: 'Chains that the alerts belong to; a chain below the threshold is no incident. 0: no alert.',
          width: 12,
          source: 'alerts',
          measure: { op: 'unique', field: 'ringfence.incident.id', label: 'Chains' },
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'series',
          title: 'Alerts over time',
          description: 'By severity. Empty: no alert in this time.',
          width: 48,
          source: 'alerts',
          shape: 'bar',
          measure: count('Alerts'),
          breakdown: terms('ringfence.severity', 'Severity', 8),
        },
      ],
    },
    {
      height: 20,
      panels: [
        {
          type: 'heatmap',
          title: 'ATT&CK',
          description:
            'Techniques by tactic. An alert with several tactics counts in each column. Empty: no alert whose rule names a technique.',
          width: 48,
          source: 'alerts',
          x: terms('threat.tactic.name', 'Tactic', 15),
          y: terms('threat.technique.name', 'Technique', 25),
          measure: count('Alerts'),
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          type: 'table',
          title: 'Noise: rules by alerts',
          description:
            'Many alerts on many hosts are rather noise than attacks: `ringfence incident exception ID` writes exceptions. Empty: no alert.',
          width: 24,
          source: 'alerts',
          rows: [terms('rule.name', 'Rule', 25), terms('ringfence.severity', 'Severity', 1)],
          measures: [count('Alerts'), hosts, { op: 'unique', field: 'process.executable', label: 'Programs' }],
        },
        {
          type: 'table',
          title: 'Rarity: rules that hardly ever fire',
          description:
            'Rules with at most three alerts in this time: look at these first. Empty: every rule that fired did so more often.',
          width: 24,
          source: 'alerts',
          rows: [terms('rule.name', 'Rule', 25, 'rare')],
          measures: [count('Alerts'), hosts, newest],
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'table',
          title: 'Programs',
          description: 'Programs that raised alerts. Empty: no alert has a process.',
          width: 24,
          source: 'alerts',
          rows: [terms('process.executable', 'Program', 25)],
          measures: [count('Alerts'), { op: 'unique', field: 'rule.name', label: 'Rules' }],
        },
        {
          type: 'table',
          title: 'Users',
          description: 'Users whose processes raised alerts. Empty: no alert has a process.',
          width: 24,
          source: 'alerts',
          rows: [terms('user.name', 'User', 25)],
          measures: [count('Alerts'), { op: 'unique', field: 'rule.name', label: 'Rules' }, hosts],
        },
      ],
    },
    {
      height: 16,
      panels: [
        {
          type: 'search',
          title: 'Alerts',
          description: 'Newest first. Empty: no alert.',
          width: 48,
          search: ALERT_LIST,
        },
      ],
    },
  ],
};
