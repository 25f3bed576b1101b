import { type Paint, paintFor } from '@ringfence/base';
import { MAX_LISTED } from '@ringfence/runtime/client';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Alert, Incident } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { incidentLine } from '../incident/view.ts';
import { clientOf, integerOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { durationMs } from '../shared/times.ts';
import { alertLine, eventLine } from './view.ts';

interface ListOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly where?: string;
  readonly limit: string;
  readonly since?: string;
}

/** The list commands: description, example condition, and how to print one entry. */
const KINDS: {
  readonly [name: string]: {
    readonly doc: string;
    readonly example: string;
    readonly line: (paint: Paint, item: never) => string;
  };
} = {
  events: {
    doc: DESCRIPTIONS.events,
    example: 'event.action = exec and user.id = 0',
    line: eventLine,
  },
  alerts: {
    doc: DESCRIPTIONS.alerts,
    example: 'priority in (error, critical) and container.name exists',
    line: (paint, alert: Alert) => alertLine(paint, alert),
  },
  incidents: {
    doc: DESCRIPTIONS.incidents,
    example: 'score > 60 and stages intersects (persistence)',
    line: (paint, incident: Incident) => incidentLine(paint, incident),
  },
};

export function addLists(program: Command): void {
  for (const [name, { doc, example, line }] of Object.entries(KINDS)) {
    const command = program
      .command(name)
      .description(doc)
      .option('-f, --follow', 'keep running and print new entries as they arrive')
      .option('--json', 'print one JSON object per line')
      .option('--where <condition>', 'only entries that match this condition, in the language of rules')
      .option('--limit <n>', 'maximum number of past entries', '100')
      .option('--since <duration>', 'only entries that are not older: 30s, 10m, 2h, 1d')
      .addHelpText(
        'after',
        `
Examples:
  ringfence ${name}
  ringfence ${name} --follow --json
  ringfence ${name} --where "${example}"`,
      );
    withSettings(command).action((_, self: Command) => list(name, line, self));
  }
}

async function list(name: string, line: (paint: Paint, item: never) => string, self: Command): Promise<void> {
  const options = self.opts<ListOptions>();
  const query = new URLSearchParams({ limit: String(integerOf('--limit', options.limit, 0, MAX_LISTED)) });
  if (options.follow) query.set('follow', '1');
  if (options.where !== undefined) query.set('where', options.where);
  if (options.since !== undefined)
    query.set('from', String((Date.now() - durationMs('--since', options.since)) * 1000));
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  for await (const item of clientOf(settingsOf(self)).lines<never>(`/${name}?${query}`, signal)) {
    if (options.json) printJson(item);
    else print(line(paint, item));
  }
}
