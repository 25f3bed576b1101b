import type { Command } from 'commander';
import { type IncidentFile, renderIncident } from '../view/incident.ts';
import { paintFor } from '../view/paint.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from './context.ts';

export function addIncident(program: Command): void {
  const incident = program.command('incident').description('look at one incident');
  const show = incident
    .command('show')
    .argument('<id>', 'id of the incident, as ringfence incidents lists it')
    .description('its timeline by stage, process tree, evidence, and what was done')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  ringfence incident show inc-0123456789abcdef\n  ringfence incident show inc-0123456789abcdef --json | jq .results',
    );
  withSettings(show).action(async (id: string, _, self: Command) => {
    const file = await clientOf(settingsOf(self)).json<IncidentFile>(`/incident/${encodeURIComponent(id)}`);
    if (self.opts<{ json?: boolean }>().json) printJson(file, 2);
    else print(renderIncident(paintFor(process.stdout), file));
  });
}
