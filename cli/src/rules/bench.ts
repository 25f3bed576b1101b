import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import { type BenchResult, benchRules, enrichedBatches, readSources } from '@ringfence/rule-lab';
import { escapeText, openRecording } from '@ringfence/wire';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { grouped } from '../shared/numbers.ts';
import { progressOn } from '../shared/progress.ts';
import { skippedRulesText } from './diagnostics-view.ts';

interface BenchOptions {
  readonly json?: boolean;
  readonly top: string;
}

/** Enriched batches that are kept in memory. The rest of a larger recording is skipped, with a warning. */
const MAX_BYTES = 512 * 1024 * 1024;

export function addBench(rules: Command): void {
  const command = rules
    .command('bench')
    .argument('<recording>', 'recording made by ringfence record')
    .argument('[files...]', 'rule files or folders (default: the configured rules)')
    .description('measure the cost of each rule on recorded events, and how often it matches')
    .option('--top <n>', 'number of rules to show, most expensive first', '20')
    .option('--json', 'print one JSON object with all rules')
    .addHelpText(
      'after',
      `
The cost of a rule is its time per event when it runs alone, without reading the event. Rules that run together share
common conditions and cost less. Expensive rules match regular expressions or many substrings before a cheap
comparison has excluded the event.

Examples:
  ringfence record day.rec --seconds 600
  ringfence rules bench day.rec
  ringfence rules bench day.rec my-rules/ --top 5`,
    );
  withSettings(command).action(async (path: string, files: string[], _, self: Command) => {
    const { json, top } = self.opts<BenchOptions>();
    const count = Number(top);
    if (!Number.isInteger(count) || count < 1) throw new OperatorError(`--top ${top}: expected a number from 1`);
    const { sources, asked } = await readSources(files, settingsOf(self));
    const batches = await readBatches(path);
    const set = compileDetectorRules(sources, 'hunt');
    process.stderr.write(skippedRulesText(set.diagnostics, asked));
    const names = new Set(set.rules.filter(({ file }) => asked.has(file)).map(({ name }) => name));
    using progress = progressOn(process.stderr, 'rules');
    const result = benchRules(set, names, batches, progress.report);
    if (json) printJson(result, 2);
    else print(benchText(result, count, paintFor(process.stdout)));
  });
}

async function readBatches(path: string): Promise<Buffer[]> {
  await using recording = await openRecording(path);
  const batches: Buffer[] = [];
  let bytes = 0;
  for await (const batch of enrichedBatches(recording.records(), recording.enrolled)) {
    bytes += batch.length;
    if (bytes > MAX_BYTES) {
      process.stderr.write(
        `only the first ${batches.length} batches are measured: the recording does not fit in memory\n`,
      );
      break;
    }
    batches.push(batch);
  }
  return batches;
}

function benchText({ events, read: reading, matched, rules }: BenchResult, top: number, paint: Paint): string {
  return [
    paint.bold(`${'ns/event'.padStart(9)} ${'hits'.padStart(9)}  rule`),
    ...rules
      .slice(0, top)
      .map(
        ({ rule, hits, nanoseconds }) =>
          `${nanoseconds.toFixed(1).padStart(9)} ${grouped(hits).padStart(9)}  ${escapeText(rule)}`,
      ),
    '',
    `${grouped(events)} events on one core: ${grouped(reading)}/s without rules, ${grouped(matched)}/s with all rules`,
  ].join('\n');
}
