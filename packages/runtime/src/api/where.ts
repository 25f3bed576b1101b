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
    field('action', 'string', 'What the rule asks for.', (alert) => alert.action),
    field('output', 'string', 'The line it printed.', (alert) => alert.output),
    field('host.id', 'string', 'Where.', (alert) => alert.hostId),
    field('event.action', 'string', 'Kind of the event.', (alert) => alert.kind),
    field('@timestamp', 'string', 'When, ISO 8601.', (alert) => isoTime(alert.timestamp)),
    field('process.executable', 'string', 'Who.', (alert) => alert.lineage[0]?.executable),
    field('process.pid', 'number', 'Who.', (alert) => alert.lineage[0]?.pid),
    field('user.name', 'string', 'As whom.', (alert) => alert.lineage[0]?.user),
    field('container.id', 'string', 'Container, if any.', (alert) => alert.container?.id),
    field('container.name', 'string', 'Container, if any.', (alert) => alert.container?.name),
    field('container.image.name', 'string', 'Its image.', (alert) => alert.container?.image),
  ],
};

const incidents: FieldCatalogue<Incident> = {
  fields: [
    field('id', 'string', 'Id of the incident.', (incident) => incident.id),
    field('title', 'string', 'What it is about.', incidentTitle),
    field('state', 'string', 'open, closed or merged.', (incident) => incident.state),
    field('status', 'string', 'new, triaged, contained or closed.', (incident) => incident.status),
    field('verdict', 'string', 'undecided, true_positive or false_positive.', (incident) => incident.verdict),
    field('severity', 'string', 'debug to emergency.', (incident) => incident.severity),
    field('score', 'number', 'How sure and how bad.', (incident) => incident.score),
    field('stages', 'strings', 'ATT&CK tactics so far, by the names of v19 and v18.', (incident) =>
      withV18(incident.stages.map(({ tactic }) => tactic)),
    ),
    field('rules', 'strings', 'Names of the rules of its alerts.', (incident) =>
      incident.alerts.map(({ rule }) => rule),
    ),
    field('host.id', 'string', 'Where.', (incident) => incident.hostId),
    field('container.id', 'string', 'Container, if any.', (incident) => incident.container?.id),
    field('container.name', 'string', 'Container, if any.', (incident) => incident.container?.name),
  ],
};

/** A condition in the rule language as a test. Throws OperatorError that points at what is wrong. */
function test<E>(condition: string, fields: FieldCatalogue<E>, kinds: EventKinds<E>): (item: E) => boolean {
  const { holds, diagnostics } = compileFilter<E>(condition, '--where', fields, kinds);
  if (holds === undefined) throw new OperatorError(diagnostics.map((one) => render(one, condition)).join('\n'));
  return holds;
}

const one = <E>(name: string): EventKinds<E> => ({ names: [name], of: () => 0 });

export const whereEvent = (condition: string): ((event: EventView) => boolean) =>
  test(condition, catalogue, eventKinds);
export const whereAlert = (condition: string): ((alert: Alert) => boolean) =>
  test(condition, alerts, one<Alert>('alert'));
export const whereIncident = (condition: string): ((incident: Incident) => boolean) =>
  test(condition, incidents, one<Incident>('incident'));
