import { OperatorError } from '@ringfence/base';
import { catalogue, eventKinds, type FieldSpec, isoTime } from '@ringfence/fields';
import { incidentTitle } from '@ringfence/incident-text';
import { compileFilter, type EventKinds, type FieldCatalogue, render } from '@ringfence/rules';
import { withV18 } from '@ringfence/rules/attack';
import type { Alert, EventView, Incident } from '@ringfence/wire';

const field = <E>(name: string, type: FieldSpec<E>['type'], doc: string, get: FieldSpec<E>['get']): FieldSpec<E> => ({
  name,
  type,
  doc,
  get,
});

const alerts: FieldCatalogue<Alert> = {
  fields: [
    field('id', 'string', 'Id of the alert.', (alert) => alert.id),
    field('rule', 'string', 'Name of the rule.', (alert) => alert.rule),
    field('priority', 'string', 'debug to emergency.', (alert) => alert.priority),
    field('tactics', 'strings', 'ATT&CK tactics, by the names of v19 and v18.', (alert) => withV18(alert.tactics)),
    field('techniques', 'strings', 'ATT&CK techniques.', (alert) => alert.techniques),
    field('tags', 'strings', 'Tags of the rule.', (alert) => alert.tags),
    field('action', 'string', 'Action of the rule.', (alert) => alert.action),
    field('output', 'string', 'Output line of the rule.', (alert) => alert.output),
    field('host.id', 'string', 'Id of the host.', (alert) => alert.hostId),
    field('event.action', 'string', 'Kind of the event.', (alert) => alert.kind),
    field('@timestamp', 'string', 'Time of the event, ISO 8601.', (alert) => isoTime(alert.timestamp)),
    field('process.executable', 'string', 'Executable of the process.', (alert) => alert.lineage[0]?.executable),
    field('process.pid', 'number', 'Pid of the process.', (alert) => alert.lineage[0]?.pid),
    field('user.name', 'string', 'User of the process.', (alert) => alert.lineage[0]?.user),
    field('container.id', 'string', 'Id of the container, if any.', (alert) => alert.container?.id),
    field('container.name', 'string', 'Name of the container, if any.', (alert) => alert.container?.name),
    field('container.image.name', 'string', 'Image of the container, if any.', (alert) => alert.container?.image),
  ],
};

const incidents: FieldCatalogue<Incident> = {
  fields: [
    field('id', 'string', 'Id of the incident.', (incident) => incident.id),
    field('title', 'string', 'Title of the incident.', incidentTitle),
    field('state', 'string', 'open, closed or merged.', (incident) => incident.state),
    field('status', 'string', 'new, triaged, contained or closed.', (incident) => incident.status),
    field('verdict', 'string', 'undecided, true_positive or false_positive.', (incident) => incident.verdict),
    field('severity', 'string', 'debug to emergency.', (incident) => incident.severity),
    field('score', 'number', 'Score, below 100.', (incident) => incident.score),
    field('stages', 'strings', 'ATT&CK tactics so far, by the names of v19 and v18.', (incident) =>
      withV18(incident.stages.map(({ tactic }) => tactic)),
    ),
    field('rules', 'strings', 'Names of the rules of its alerts.', (incident) =>
      incident.alerts.map(({ rule }) => rule),
    ),
    field('host.id', 'string', 'Id of the host.', (incident) => incident.hostId),
    field('container.id', 'string', 'Id of the container, if any.', (incident) => incident.container?.id),
    field('container.name', 'string', 'Name of the container, if any.', (incident) => incident.container?.name),
  ],
};

/** Compiles a condition in the rule language. Throws OperatorError that points at the mistakes in it. */
function compile<E>(condition: string, fields: FieldCatalogue<E>, kinds: EventKinds<E>): (record: E) => boolean {
  const { holds, diagnostics } = compileFilter<E>(condition, '--where', fields, kinds);
  if (holds === undefined)
    throw new OperatorError(diagnostics.map((diagnostic) => render(diagnostic, condition)).join('\n'));
  return holds;
}

const singleKind = <E>(name: string): EventKinds<E> => ({ names: [name], of: () => 0 });

/** Filters for `--where`. Each throws OperatorError for an invalid condition. */
export const eventFilter = (condition: string): ((event: EventView) => boolean) =>
  compile(condition, catalogue, eventKinds);
export const alertFilter = (condition: string): ((alert: Alert) => boolean) =>
  compile(condition, alerts, singleKind<Alert>('alert'));
export const incidentFilter = (condition: string): ((incident: Incident) => boolean) =>
  compile(condition, incidents, singleKind<Incident>('incident'));
