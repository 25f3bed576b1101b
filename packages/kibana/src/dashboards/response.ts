import type { Dashboard } from '../model.ts';
import { dashboardId } from '../sources.ts';
import { count, hosts, newest, terms } from './parts.ts';
import { RESPONSE as LIST } from './searches.ts';

export const RESPONSE: Dashboard = {
  id: dashboardId('response'),
  title: 'Ringfence: response',
  description:
    'What was ordered, by which policy, what was done and what was refused. A kill cannot be undone. Orders and results name a host and a program, so the controls are these.',
  from: 'now-30d',
  controls: [
    { title: 'Host', source: 'actions', field: 'host.id' },
    { title: 'Program', source: 'actions', field: 'process.executable' },
  ],
  rows: [
    {
      height: 5,
      panels: [
        {
          type: 'metric',
          title: 'Orders',
          description: 'Commands of policies, observed ones included. 0: no policy applied.',
          width: 12,
          source: 'actions',
          query: 'ringfence.command.policy : *',
          measure: count('Orders'),
        },
        {
          type: 'metric',
          title: 'Carried out',
          description: 'Processes that were killed. 0: policies only observe, or nothing was to be done.',
          width: 12,
          source: 'actions',
          query: 'ringfence.result.outcome : "executed"',
          measure: count('Carried out'),
        },
        {
          type: 'metric',
          title: 'Only observed',
          description: 'Orders that were recorded and not sent. 0: every policy enforces, or no policy applied.',
          width: 12,
          source: 'actions',
          query: 'ringfence.command.mode : "observe"',
          measure: count('Only observed'),
        },
        {
          type: 'metric',
          title: 'Not carried out',
          description: 'Orders that were refused, expired or failed. 0: each order that was sent had its effect.',
          width: 12,
          source: 'actions',
          query: 'event.outcome : "failure"',
          measure: count('Refused, expired or failed'),
        },
      ],
    },
    {
      height: 10,
      panels: [
        {
          type: 'series',
          title: 'Outcomes over time',
          description: 'Results by outcome. Empty: no agent answered, because no order was sent.',
          width: 48,
          source: 'actions',
          query: 'ringfence.result.outcome : *',
          shape: 'bar',
          measure: count('Results'),
          breakdown: terms('ringfence.result.outcome', 'Outcome', 6),
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          type: 'table',
          title: 'Policies',
          description: 'Which policy ordered what, and whether it enforces. Empty: no policy applied.',
          width: 24,
          source: 'actions',
          query: 'ringfence.command.policy : *',
          rows: [
            terms('ringfence.command.policy', 'Policy', 20),
            terms('ringfence.command.mode', 'Mode', 2),
            terms('ringfence.command.action', 'Action', 5),
          ],
          measures: [count('Orders'), hosts, newest],
        },
        {
          type: 'table',
          title: 'Outcomes and reasons',
          description: 'Why orders were refused or had no effect. Empty: no order was answered with a reason.',
          width: 24,
          source: 'actions',
          query: 'ringfence.result.outcome : *',
          rows: [terms('ringfence.result.outcome', 'Outcome', 6), terms('event.reason', 'Reason', 10)],
          measures: [count('Results'), hosts, newest],
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'table',
          title: 'Programs',
          description: 'Targets of orders. Empty: no policy applied.',
          width: 48,
          source: 'actions',
          query: 'ringfence.command.policy : *',
          rows: [terms('process.executable', 'Program', 25), terms('event.reason', 'Reason', 3)],
          measures: [count('Orders'), hosts, newest],
        },
      ],
    },
    {
      height: 15,
      panels: [
        {
          type: 'search',
          title: 'Orders and results',
          description: 'Newest first. Empty: none.',
          width: 48,
          search: LIST,
        },
      ],
    },
  ],
};
