import { userInfo } from 'node:os';
import { paintFor } from '@ringfence/base';
import type { Incident } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { exceptionsFor } from './exceptions-view.ts';
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
  withSettings(show).action(async (id: string, _, self: Command) => {
    const file = await fileOf(self, id);
    const { json, evidence } = self.opts<{ json?: boolean; evidence?: boolean }>();
    if (json) printJson(file, 2);
    else print(renderIncident(paintFor(process.stdout), file, evidence));
  });
  addSet(incident);
  addException(incident);
}

const fileOf = (self: Command, id: string): Promise<IncidentFile> =>
  clientOf(settingsOf(self)).json<IncidentFile>(`/incident/${encodeURIComponent(id)}`);

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
  withSettings(set).action(async (id: string, _, self: Command) => {
    const { state, verdict, note } = self.opts<{ state: string; verdict?: string; note?: string }>();
    const query = new URLSearchParams({ state, by: process.env['SUDO_USER'] ?? userInfo().username });
    if (verdict !== undefined) query.set('verdict', verdict);
    if (note !== undefined) query.set('note', note);
    const path = `/incident/${encodeURIComponent(id)}/set?${query}`;
    const updated = await clientOf(settingsOf(self)).json<Incident>(path);
    print(`${updated.id} is ${statusText(updated)}`);
    if (updated.verdict === 'false_positive')
      print(`exceptions for its rules: ringfence incident exception ${updated.id}`);
  });
}

function addException(incident: Command): void {
  const exception = incident
    .command('exception')
    .argument('<id>', ID)
    .description('print a macro for each rule of an incident, to exclude its alerts and little else from the condition')
    .addHelpText('after', '\nExample:\n  ringfence incident exception inc-0123456789abcdef >> my-exceptions.yaml');
  withSettings(exception).action(async (id: string, _, self: Command) => {
    print(exceptionsFor(await fileOf(self, id)));
  });
}
