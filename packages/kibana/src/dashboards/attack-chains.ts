import type { Dashboard } from '../model.ts';
import { dashboardId } from '../sources.ts';
import { count, hosts, newest, severity, terms, whereAndWho } from './parts.ts';
import { ALERTS, STORIES } from './searches.ts';

const LIVE = 'not ringfence.incident.state : "merged"';
const OPEN = 'ringfence.incident.state : "open"';

export const ATTACK_CHAINS: Dashboard = {
  id: dashboardId('attack-chains'),
  title: 'Ringfence: attack chains',
  description: 'Which chains are open, how far they got, what they hit, and what was done. Start here.',
  from: 'now-7d',
  controls: [...whereAndWho('incidents'), severity('incidents')],
  rows: [
    {
      height: 5,
      panels: [
        {
          type: 'metric',
          title: 'Open incidents',
          description:
            'Incidents whose chain still grows. 0: no chain reached the threshold in this time, or all have gone quiet.',
          width: 12,
          source: 'incidents',
          query: OPEN,
          measure: count('Open incidents'),
        },
        {
          type: 'metric',
          title: 'Waiting for a person',
          description: 'Incidents that nobody has triaged. 0: someone has looked at each.',
          width: 12,
          source: 'incidents',
          query: `${LIVE} and ringfence.incident.status : "new"`,
          measure: count('New, not triaged'),
        },
        {
          type: 'metric',
          title: 'Contained',
          description:
            'Incidents in which a kill was carried out, or that a person set to contained. 0: no policy enforces, or nothing was killed.',
          width: 12,
          source: 'incidents',
          query: `${LIVE} and ringfence.incident.status : "contained"`,
          measure: count('Contained'),
        },
        {
          type: 'metric',
          title: 'Hosts hit',
          description: 'Hosts with an incident. 0: there is no incident.',
          width: 12,
          source: 'incidents',
          query: LIVE,
          measure: { op: 'unique', field: 'ringfence.incident.hosts', label: 'Hosts hit' },
        },
      ],
    },
    {
      height: 14,
      panels: [
        {
          type: 'table',
          title: 'Incidents by score',
          description:
            "Filter for an incident's id to see only its chain in all panels. Copy its command to a terminal for the whole evidence. Empty: no chain reached the threshold.",
          width: 48,
          source: 'incidents',
          query: LIVE,
          rows: [
            terms('ringfence.incident.id', 'Incident', 50),
            terms('ringfence.incident.title', 'Title', 1),
            terms('ringfence.incident.status', 'Status', 1),
            terms('ringfence.incident.command', 'Command to copy', 1),
          ],
          measures: [
            { op: 'max', field: 'ringfence.incident.score', label: 'Score' },
            { op: 'max', field: 'ringfence.incident.stage_count', label: 'Stages' },
            { op: 'max', field: 'ringfence.incident.alert_count', label: 'Alerts' },
            newest,
          ],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          type: 'series',
          title: 'Stages over time',
          description:
            'Alerts of chains by tactic: an attack goes from initial access to its aim. Empty: no alert in this time.',
          width: 30,
          source: 'alerts',
          query: 'ringfence.incident.id : *',
          shape: 'bar',
          measure: count('Alerts'),
          breakdown: terms('threat.tactic.name', 'Stage', 15),
        },
        {
          type: 'table',
          title: 'Stages reached',
          description: 'Incidents that reached each stage. Empty: no incident.',
          width: 18,
          source: 'incidents',
          query: LIVE,
          rows: [terms('threat.tactic.name', 'Stage', 15)],
          measures: [count('Incidents'), { op: 'max', field: 'ringfence.incident.score', label: 'Highest score' }],
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'table',
          title: 'Hosts hit',
          description: 'Hosts by alerts of chains. Empty: no alert, or the agents do not report their names.',
          width: 16,
          source: 'alerts',
          rows: [terms('host.name', 'Host', 20)],
          measures: [count('Alerts'), { op: 'unique', field: 'ringfence.incident.id', label: 'Chains' }],
        },
        {
          type: 'table',
          title: 'Workloads hit',
          description:
            'Images by alerts of chains. Empty: no alert from a container; attacks on the host are in the panel of hosts.',
          width: 16,
          source: 'alerts',
          rows: [terms('container.image.name', 'Image', 20)],
          measures: [count('Alerts'), { op: 'unique', field: 'ringfence.incident.id', label: 'Chains' }, hosts],
        },
        {
          type: 'table',
          title: 'Response and its outcome',
          description:
            'Incidents by status and verdict. `contained` is set by a kill or by a person. Empty: no incident.',
          width: 16,
          source: 'incidents',
          query: LIVE,
          rows: [terms('ringfence.incident.status', 'Status', 4), terms('ringfence.incident.verdict', 'Verdict', 3)],
          measures: [count('Incidents')],
        },
      ],
    },
    {
      height: 16,
      panels: [
        {
          type: 'search',
          title: 'Stories',
          description: 'What happened, step by step, in UTC. Empty: no incident.',
          width: 48,
          search: STORIES,
        },
      ],
    },
    {
      height: 16,
      panels: [
        {
          type: 'search',
          title: 'Alerts of the chains',
          description:
            'The steps with their processes. Filter for a process.entity_id and open Ringfence: executions for its events. Empty: no alert.',
          width: 48,
          search: ALERTS,
        },
      ],
    },
  ],
};
