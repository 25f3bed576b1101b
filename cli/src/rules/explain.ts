import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { type Explained, explainInFile, explainRunning, readSources } from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { clientOf, print, printJson, repeatable, settingsOf, withSettings } from '../shared/context.ts';
import { explanationLines, missLines, runLines } from './test-view.ts';

interface ExplainOptions {
  readonly json?: boolean;
  readonly rules?: readonly string[];
}

export function addExplain(rules: Command): void {
  const command = rules
    .command('explain')
    .argument('<rule>', 'name of the rule')
    .argument(
      '<event>',
      'FILE or FILE:NUMBER of a recording, YAML or JSON lines, or the id of an alert or event of a running ringfence',
    )
    .description(
      "show how each part of a rule's condition evaluates on an event; exit code 1 if the rule does not match",
    )
    .option('--rules <path>', 'rule file or folder in addition to the configured rules (repeatable)', repeatable)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Without a number it explains the event that comes closest to a match. For a rule with a sequence, threshold, first_seen,
suppress or throttle it explains all events of the file in order: the steps that each event fits, the values that join
them, the progress of the rule, and the steps that are missing at the end. With a number it explains that event alone.

Examples:
  ringfence rules explain "Password hashes read" attack.rec
  ringfence rules explain "Password hashes read" attack.rec:17
  ringfence rules explain "My rule" event.yaml --rules my-rules/
  ringfence rules explain "My sequence" events.jsonl
  ringfence alerts --json --limit 1 | jq -r '.rule, .id'  prints both arguments`,
    );
  withSettings(command).action(async (rule: string, event: string, _, self: Command) => {
    const { json, rules: paths = [] } = self.opts<ExplainOptions>();
    const config = settingsOf(self);
    const { sources } = await readSources(paths, config);
    const [path, which] = splitEvent(event);
    const file = existsSync(path) ? await fileOf(path, which) : undefined;
    if (file === undefined && /\.(?:ya?ml|jsonl?|rec)/.test(event)) throw new OperatorError(`${path} does not exist`);
    const explained =
      file === undefined
        ? await explainRunning(rule, event, clientOf(config), sources)
        : await explainInFile(rule, file, sources);
    if (!explained.holds) process.exitCode = 1;
    if (json) printJson(explained, 2);
    else print(explainedText(explained, paintFor(process.stdout)));
  });
}

/** Splits FILE:NUMBER, FILE:ID or FILE. */
function splitEvent(event: string): [path: string, which: string | undefined] {
  const [, path, which] = /^(.+?):([\da-f/-]+)$/.exec(event) ?? [];
  return path === undefined || existsSync(event) ? [event, undefined] : [path, which];
}

async function fileOf(path: string, which: string | undefined): Promise<Parameters<typeof explainInFile>[1]> {
  return { path, which, text: /\.(?:ya?ml|jsonl?)$/.test(path) ? await readFile(path, 'utf8') : undefined };
}

function explainedText({ rule, holds, event, run, misses }: Explained, paint: Paint): string {
  const verdict = `${paint.bold(rule)} ${holds ? paint.green('matches') : paint.red('does not match')}`;
  if (run !== undefined && run.steps.length > 0) return [verdict, ...runLines(run, paint)].join('\n');
  const missed = misses === undefined ? [] : missLines(misses);
  return [verdict, ...explanationLines(event, paint), ...missed].join('\n');
}
