import { userInfo } from 'node:os';
import { paintFor } from '@ringfence/base';
import type { Incident } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { exceptionsFor } from './exceptions-view.ts';
import { type IncidentFile, renderIncident, statusText } from './view.ts';

const ID = 'id of the incident, as ringfence incidents lists it';

export function addIncident(program: Command): void {
  const incident = program.command('incident').description(DESCRIPTIONS.incident);
  const show = incident
    .command('show')
    .argument('<id>', ID)
    .description('show its timeline by stage, process tree, evidence, and what was done')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  ringfence incident show inc-0123456789abcdef\n  ringfence incident show inc-0123456789abcdef --json | jq .results',
    );
  withSettings(show).action(async (id: string, _, self: Command) => {
    const file = await fileOf(self, id);
    if (self.opts<{ json?: boolean }>().json) printJson(file, 2);
    else print(renderIncident(paintFor(process.stdout), file));
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
    .description('say how far you have come with it; each change is kept in the audit trail')
    .requiredOption('--state <state>', 'new, triaged, contained or closed')
    .option(
      '--verdict <verdict>',
      'with closed: true-positive, or false-positive, which makes its rules count for less',
    )
    .option('--note <text>', 'why')
    .addHelpText(
      'after',
      '\nExamples:\n  ringfence incident set inc-0123456789abcdef --state triaged\n  ringfence incident set inc-0123456789abcdef --state closed --verdict false-positive --note "the nightly backup"',
    );
  withSettings(set).action(async (id: string, _, self: Command) => {
    const { state, verdict, note } = self.opts<{ state: string; verdict?: string; note?: string }>();
    const query = new URLSearchParams({ state, by: process.env['SUDO_USER'] ?? userInfo().username });
    if (verdict !== undefined) query.set('verdict', verdict);
    if (note !== undefined) query.set('note', note);
    const now = await clientOf(settingsOf(self)).json<Incident>(`/incident/${encodeURIComponent(id)}/set?${query}`);
    print(`${now.id} is ${statusText(now)}`);
    if (now.verdict === 'false_positive') print(`what would have silenced it: ringfence incident exception ${now.id}`);
  });
}

function addException(incident: Command): void {
  const exception = incident
    .command('exception')
    .argument('<id>', ID)
    .description('print macros, as narrow as its alerts, that would have silenced it: for the conditions of its rules')
    .addHelpText('after', '\nExample:\n  ringfence incident exception inc-0123456789abcdef >> my-exceptions.yaml');
  withSettings(exception).action(async (id: string, _, self: Command) => {
    print(exceptionsFor(await fileOf(self, id)));
  });
}
