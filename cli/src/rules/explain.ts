import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { type Explained, explainInFile, explainRunning, readSources } from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { clientOf, print, printJson, settingsOf, several, withSettings } from '../shared/context.ts';
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
      'FILE or FILE:NUMBER of a recording, of YAML or of JSON lines, or the id of an alert or event of the running ringfence up',
    )
    .description(
      "show what each part of a rule's condition comes to on an event; exit code 1 when the whole does not hold",
    )
    .option('--rules <path>', 'rule file or folder, beside the configured ones (repeatable)', several)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Without a number it is the event that comes nearest to what the rule asks for. Of a sequence, a threshold, first_seen, suppress or
throttle it is then all events of the file, in order: which steps each fits, what they are joined by and compared with, how far that
brings the rule, and what is missing at the end. With a number the event is seen by itself.

Examples:
  ringfence rules explain "Password hashes read" attack.rec
  ringfence rules explain "Password hashes read" attack.rec:17
  ringfence rules explain "My rule" event.yaml --rules my-rules/
  ringfence rules explain "My sequence" events.jsonl
  ringfence alerts --json --limit 1 | jq -r '.rule, .id'  both of which it takes`,
    );
  withSettings(command).action(async (rule: string, event: string, _, self: Command) => {
    const { json, rules: paths = [] } = self.opts<ExplainOptions>();
    const config = settingsOf(self);
    const { sources } = await readSources(paths, config);
    const [path, which] = placeOf(event);
    const file = existsSync(path) ? await fileOf(path, which) : undefined;
    if (file === undefined && /\.(?:ya?ml|jsonl?|rec)/.test(event)) throw new OperatorError(`there is no file ${path}`);
    const explained =
      file === undefined
        ? await explainRunning(rule, event, clientOf(config), sources)
        : await explainInFile(rule, file, sources);
    if (!explained.holds) process.exitCode = 1;
    if (json) printJson(explained, 2);
    else print(explainedText(explained, paintFor(process.stdout)));
  });
}

/** FILE:NUMBER, FILE:ID or FILE. */
function placeOf(event: string): [path: string, which: string | undefined] {
  const [, path, which] = /^(.+?):([\da-f/-]+)$/.exec(event) ?? [];
  return path === undefined || existsSync(event) ? [event, undefined] : [path, which];
}

async function fileOf(path: string, which: string | undefined): Promise<Parameters<typeof explainInFile>[1]> {
  return { path, which, text: /\.(?:ya?ml|jsonl?)$/.test(path) ? await readFile(path, 'utf8') : undefined };
}

function explainedText({ rule, holds, event, run, misses }: Explained, paint: Paint): string {
  const missed = misses === undefined ? [] : missLines(misses, paint);
  if (run !== undefined && run.steps.length > 0) {
    const verdict = holds ? paint.green('matches') : paint.red('does not match');
    return [`${paint.bold(rule)} ${verdict}`, ...runLines(run, paint)].join('\n');
  }
  const verdict = holds ? paint.green('holds on') : paint.red('does not hold on');
  return [`${paint.bold(rule)} ${verdict}`, ...explanationLines(event, paint), ...missed].join('\n');
}
