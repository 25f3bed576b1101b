import type { Dashboard } from '../model.ts';
import { dashboardId } from '../sources.ts';
import { count, hosts, newest, oldest, terms, whereAndWho } from './parts.ts';
import { CONNECTIONS, EXECUTIONS } from './searches.ts';

const EXEC = 'event.action : "exec"';

export const HOSTS: Dashboard = {
  id: dashboardId('hosts'),
  title: 'Ringfence: hosts and containers',
  description:
    'What runs, what is new, and who talks to whom. Executions are complete; other events are those of the share of processes that auditor.elasticsearch.eventSample stores.',
  from: 'now-24h',
  controls: whereAndWho('events'),
  rows: [
    {
      height: 5,
      panels: [
        {
          type: 'metric',
          title: 'Hosts',
          description: 'Hosts that sent events. 0: no agent delivers: see Pipeline health.',
          width: 12,
          source: 'events',
          measure: { ...hosts, label: 'Hosts that sent events' },
        },
        {
          type: 'metric',
          title: 'Containers',
          description: 'Containers in which something was executed. 0: nothing was, or there are none.',
          width: 12,
          source: 'events',
          query: EXEC,
          measure: { op: 'unique', field: 'container.id', label: 'Containers' },
        },
        {
          type: 'metric',
          title: 'Programs',
          description: 'Different programs that were executed. 0: nothing was executed.',
          width: 12,
          source: 'events',
          query: EXEC,
          measure: { op: 'unique', field: 'process.executable', label: 'Programs' },
        },
        {
          type: 'metric',
          title: 'Executions',
          description: '0: nothing was executed in this time.',
          width: 12,
          source: 'events',
          query: EXEC,
          measure: count('Executions'),
        },
      ],
    },
    {
      height: 10,
      panels: [
        {
          type: 'series',
          title: 'Executions over time',
          description:
            'By host. Empty: nothing was executed. A host whose line ends may be silent: see Pipeline health.',
          width: 48,
          source: 'events',
          query: EXEC,
          shape: 'line',
          measure: count('Executions'),
          breakdown: terms('host.id', 'Host', 10),
        },
      ],
    },
    {
      height: 14,
      panels: [
        {
          type: 'table',
          title: 'What runs',
          description: 'Programs by executions. Empty: nothing was executed.',
          width: 24,
          source: 'events',
          query: EXEC,
          rows: [terms('process.executable', 'Program', 30)],
          measures: [count('Executions'), hosts, { op: 'unique', field: 'user.name', label: 'Users' }, newest],
        },
        {
          type: 'table',
          title: 'What is new or rare',
          description: 'Programs with at most three executions in this time. Empty: every program ran more often.',
          width: 24,
          source: 'events',
          query: EXEC,
          rows: [terms('process.executable', 'Program', 30, 'rare')],
          measures: [count('Executions'), hosts, oldest, newest],
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          type: 'table',
          title: 'Containers',
          description: 'Containers with executions. Empty: nothing was executed in a container.',
          width: 24,
          source: 'events',
          query: EXEC,
          rows: [terms('container.image.name', 'Image', 20), terms('container.name', 'Container', 5)],
          measures: [count('Executions'), { op: 'unique', field: 'process.executable', label: 'Programs' }, newest],
        },
        {
          type: 'table',
          title: 'Who talks to whom',
          description:
            'Connections of stored processes by program and address. Empty: none was stored; auditor.elasticsearch.eventSample is the share.',
          width: 24,
          source: 'events',
          query: 'destination.ip : *',
          rows: [terms('process.executable', 'Program', 20), terms('destination.ip', 'Address', 5)],
          measures: [count('Connections'), hosts, newest],
        },
      ],
    },
    {
      height: 14,
      panels: [
        {
          type: 'search',
          title: 'Executions',
          description: 'Newest first. Empty: none.',
          width: 24,
          search: EXECUTIONS,
        },
        {
          type: 'search',
          title: 'Connections',
          description: 'Newest first. Empty: none was stored.',
          width: 24,
          search: CONNECTIONS,
        },
      ],
    },
  ],
};
