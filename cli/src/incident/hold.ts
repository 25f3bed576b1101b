import type { Hold } from '@ringfence/auditor';
import type { Command } from 'commander';
import { actionClientOf, print, withReason, withSettings } from '../shared/context.ts';

const OPERATIONS = {
  hold: 'keep the events and executions of an incident against retention, until it is released',
  release: 'end the hold of an incident: what it kept beyond retention is removed',
} as const;

export function addHold(incident: Command): void {
  for (const [operation, description] of Object.entries(OPERATIONS)) {
    const command = incident
      .command(operation)
      .argument('<id>', 'id of the incident, from ringfence incidents')
      .description(description)
      .addHelpText(
        'after',
        `
It needs a reason. auditor.holdMaxBytes bounds what all holds keep together. Alerts, incidents, orders, results and the
actions of operators stay without a hold.

Example:
  ringfence incident ${operation} inc-0123456789abcdef --reason "case 4711"`,
      );
    withSettings(withReason(command)).action(async (id: string, _, self: Command) => {
      const path = `/incident/${encodeURIComponent(id)}/${operation}`;
      const { state } = await actionClientOf(self).json<Hold>(path);
      print(`${id} is ${state}`);
    });
  }
}
