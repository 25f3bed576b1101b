import { userInfo } from 'node:os';
import { paintFor } from '@ringfence/base';
import { type ApiClient, MAX_LISTED } from '@ringfence/runtime/client';
import type { Alert, Incident } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { actionClientOf, print, printJson, withReason, withSettings } from '../shared/context.ts';
import { conditionFor, type Exception, excludes, proposeExceptions } from './exception.ts';
import { exceptionsText, type Width } from './exceptions-view.ts';
import { addExport } from './export.ts';
import { addHold } from './hold.ts';
import { type IncidentFile, renderIncident, statusText } from './view.ts';

const ID = 'id of the incident, from ringfence incidents';

export function addIncident(program: Command): void {
  const incident = program.command('incident').description(DESCRIPTIONS.incident);
  const show = incident
    .command('show')
    .argument('<id>', ID)
    .description('show the timeline and response of an incident')
    .option('--evidence', 'also show its stages with techniques, the process tree, and the alerts of each rule')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  ringfence incident show inc-0123456789abcdef
  ringfence incident show inc-0123456789abcdef --evidence
  ringfence incident show inc-0123456789abcdef --json | jq .results`,
    );
  withSettings(withReason(show)).action(async (id: string, _, self: Command) => {
    const file = await fileOf(actionClientOf(self), id, 'show');
    const { json, evidence } = self.opts<{ json?: boolean; evidence?: boolean }>();
    if (json) printJson(file, 2);
    else print(renderIncident(paintFor(process.stdout), file, evidence));
  });
  addSet(incident);
  addException(incident);
  addExport(incident);
  addHold(incident);
}

const fileOf = (client: ApiClient, id: string, operation: 'show' | 'exception'): Promise<IncidentFile> =>
  client.json<IncidentFile>(`/incident/${encodeURIComponent(id)}/${operation}`);

function addSet(incident: Command): void {
  const set = incident
    .command('set')
    .argument('<id>', ID)
    .description('set the state of an incident; the audit trail keeps every change')
    .requiredOption('--state <state>', 'new, triaged, contained or closed')
    .option('--verdict <verdict>', 'for closed: true-positive, or false-positive, which lowers the score of its rules')
    .option('--note <text>', 'reason of the change')
    .addHelpText(
      'after',
      `
Examples:
  ringfence incident set inc-0123456789abcdef --state triaged
  ringfence incident set inc-0123456789abcdef --state closed --verdict false-positive --note "the nightly backup"`,
    );
  withSettings(withReason(set)).action(async (id: string, _, self: Command) => {
    const { state, verdict, note } = self.opts<{ state: string; verdict?: string; note?: string }>();
    const query = new URLSearchParams({ state, by: process.env['SUDO_USER'] ?? userInfo().username });
    if (verdict !== undefined) query.set('verdict', verdict);
    if (note !== undefined) query.set('note', note);
    const path = `/incident/${encodeURIComponent(id)}/set?${query}`;
    const updated = await actionClientOf(self).json<Incident>(path);
    print(`${updated.id} is ${statusText(updated)}`);
    if (updated.verdict === 'false_positive')
      print(`exceptions for its rules: ringfence incident exception ${updated.id}`);
  });
}

function addException(incident: Command): void {
  const exception = incident
    .command('exception')
    .argument('<id>', ID)
    .description(
      'print a macro for each rule of an incident that excludes its alerts and little else, and how much it matches of the stored records',
    )
    .addHelpText('after', '\nExample:\n  ringfence incident exception inc-0123456789abcdef >> my-exceptions.yaml');
  withSettings(withReason(exception)).action(async (id: string, _, self: Command) => {
    const client = actionClientOf(self);
    const file = await fileOf(client, id, 'exception');
    const exceptions: { exception: Exception; width: Width }[] = [];
    for (const exception of proposeExceptions(file))
      exceptions.push({ exception, width: await widthOf(client, exception) });
    print(exceptionsText(file.incident, exceptions));
    if (exceptions.every(({ exception }) => exception.cases.length === 0)) process.exitCode = 1;
  });
}

/** Asks the stored alerts of the rule, and the stored events. */
async function widthOf(client: ApiClient, exception: Exception): Promise<Width> {
  if (exception.cases.length === 0) return { alerts: 0, excluded: 0, hosts: 0, events: 0 };
  const rule = JSON.stringify(exception.rule);
  const query = (where: string) => new URLSearchParams({ limit: String(MAX_LISTED), where });
  const alerts = await Array.fromAsync(client.lines<Alert>(`/alerts?${query(`rule = ${rule}`)}`));
  let events = 0;
  for await (const _ of client.lines(`/events?${query(conditionFor(exception))}`)) events++;
  return {
    alerts: alerts.length,
    excluded: alerts.filter((alert) => excludes(exception, alert)).length,
    hosts: new Set(alerts.map(({ hostId }) => hostId)).size,
    events,
  };
}
