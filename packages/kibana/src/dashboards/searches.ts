import type { SavedSearch } from '../model.ts';
import { searchId } from '../sources.ts';

export const STORIES: SavedSearch = {
  id: searchId('stories'),
  title: 'Ringfence: stories of incidents',
  description:
    'Newest version of each incident with its story. Merged incidents are left out: their stories go on in others.',
  source: 'incidents',
  query: 'not ringfence.incident.state : "merged"',
  columns: [
    'ringfence.incident.score',
    'ringfence.incident.status',
    'ringfence.incident.title',
    'ringfence.incident.story',
    'ringfence.incident.command',
  ],
};

export const ALERTS: SavedSearch = {
  id: searchId('alerts'),
  title: 'Ringfence: alerts',
  description: 'Alerts with the process, the user, the container and the incident that they joined.',
  source: 'alerts',
  columns: [
    'ringfence.severity',
    'rule.name',
    'message',
    'host.name',
    'container.name',
    'user.name',
    'process.command_line',
    'ringfence.incident.id',
  ],
};

export const EXECUTIONS: SavedSearch = {
  id: searchId('executions'),
  title: 'Ringfence: executions',
  description: 'Every execution, with the parent and the container.',
  source: 'events',
  query: 'event.action : "exec"',
  columns: [
    'host.id',
    'container.name',
    'user.name',
    'process.parent.name',
    'process.command_line',
    'process.working_directory',
    'process.entity_id',
  ],
};

export const CONNECTIONS: SavedSearch = {
  id: searchId('connections'),
  title: 'Ringfence: connections',
  description: 'Connections of the share of processes that auditor.elasticsearch.eventSample stores.',
  source: 'events',
  query: 'destination.ip : *',
  columns: ['host.id', 'container.name', 'process.executable', 'event.action', 'destination.ip', 'destination.port'],
};

export const RESPONSE: SavedSearch = {
  id: searchId('response'),
  title: 'Ringfence: orders and results',
  description: 'What the responder ordered, why, and what the agents answered.',
  source: 'actions',
  query: 'ringfence.command.id : *',
  columns: [
    'event.action',
    'process.executable',
    'ringfence.command.policy',
    'ringfence.command.mode',
    'event.reason',
    'event.outcome',
    'ringfence.command.cause',
  ],
};

export const OPERATORS: SavedSearch = {
  id: searchId('operators'),
  title: 'Ringfence: what people did',
  description: 'Commands and requests of people that changed something or disclosed evidence, with their reasons.',
  source: 'actions',
  query: 'ringfence.operator.origin : *',
  columns: [
    'event.action',
    'ringfence.operator.target',
    'event.reason',
    'user.name',
    'host.hostname',
    'process.command_line',
  ],
};

export const DEAD_LETTERS: SavedSearch = {
  id: searchId('dead-letters'),
  title: 'Ringfence: dead letters',
  description: 'Records that a service could not handle, with topic, stage, code and reason.',
  source: 'audit',
  query: 'ringfence.audit.kind : "dlq"',
  columns: ['ringfence.audit.text', 'ringfence.audit.partition', 'ringfence.audit.offset', 'ringfence.audit.id'],
};

export const ENROLMENTS: SavedSearch = {
  id: searchId('enrolments'),
  title: 'Ringfence: enrolments and revocations',
  description: 'Who may sign as which host or service, and since when not any more.',
  source: 'audit',
  query: 'ringfence.audit.kind : "enrolment"',
  columns: ['ringfence.audit.text', 'ringfence.audit.id', 'ringfence.audit.seq'],
};

export const SEARCHES: readonly SavedSearch[] = [
  STORIES,
  ALERTS,
  EXECUTIONS,
  CONNECTIONS,
  RESPONSE,
  OPERATORS,
  DEAD_LETTERS,
  ENROLMENTS,
];
