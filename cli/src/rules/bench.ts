import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import { type BenchResult, benchRules, enrichedBatches, readSources } from '@ringfence/rule-lab';
import { escapeText, openRecording } from '@ringfence/schema';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { grouped } from '../shared/numbers.ts';
import { progressOn } from '../shared/progress.ts';
import { leftOutText } from './diagnostics-view.ts';

interface BenchOptions {
  readonly json?: boolean;
  readonly top: string;
}

/** Enriched batches that are held in memory; what a recording has more is left out, and said. */
const MAX_BYTES = 512 * 1024 * 1024;

export function addBench(rules: Command): void {
  const command = rules
    .command('bench')
    .argument('<recording>', 'made by ringfence record')
    .argument('[files...]', 'rule files or folders of them (default: the configured ones)')
    .description('measure what each rule costs on recorded events, and how often it matches')
    .option('--top <n>', 'show only so many, the most expensive', '20')
    .option('--json', 'print one JSON object, with all rules')
    .addHelpText(
      'after',
      `
A rule's cost is what it takes by itself, beside reading the event; together rules share what they have in common. Rules that
cost much compare with regular expressions or many substrings before anything cheap has ruled the event out.

Examples:
  ringfence record day.rec --seconds 600
  ringfence rules bench day.rec
  ringfence rules bench day.rec my-rules/ --top 5`,
    );
  withSettings(command).action(async (path: string, files: string[], _, self: Command) => {
    const { json, top } = self.opts<BenchOptions>();
    const shown = Number(top);
    if (!Number.isInteger(shown) || shown < 1) throw new OperatorError(`--top ${top}: expected a number from 1`);
    const { sources, asked } = await readSources(files, settingsOf(self));
    const batches = await read(path);
    const set = compileDetectorRules(sources, 'hunt');
    process.stderr.write(leftOutText(set.diagnostics, asked));
    const names = new Set(set.rules.filter(({ file }) => asked.has(file)).map(({ name }) => name));
    using progress = progressOn(process.stderr, 'rules');
    const result = benchRules(set, names, batches, progress.tell);
    if (json) printJson(result, 2);
    else print(benchText(result, shown, paintFor(process.stdout)));
  });
}

async function read(path: string): Promise<Buffer[]> {
  await using recording = await openRecording(path);
  const batches: Buffer[] = [];
  let bytes = 0;
  for await (const batch of enrichedBatches(recording.records(), recording.enrolled)) {
    bytes += batch.length;
    if (bytes > MAX_BYTES) {
      process.stderr.write(`only the first ${batches.length} batches are measured: more don't fit into memory\n`);
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
    `${grouped(events)} events: ${grouped(reading)} a second read, ${grouped(matched)} a second with all rules, on one core`,
  ].join('\n');
}
