/**
 * Plays the procedures of rules/procedures in sandboxes, and counts those that the built-in rules find.
 *
 *   sudo npm run procedures -- [TEXT…]     play those with TEXT in their name or technique, and print the misses
 *   sudo npm run procedures -- --part PART   play the part open (default), later, held-out (figures alone) or all
 *   sudo npm run procedures -- --write     play all, and write the committed summary (docs/EFFICACY.md)
 *   npm run procedures -- --list           print the number of procedures of each technique
 *   npm run procedures -- --unproven       print the rules that no procedure of one of their techniques raised last
 *
 * --scripts also prints the exit code and the standard error of each script, for its author. --lanes N plays N at the
 * same time. Exits with 1 if a file has an error.
 */
import { cpus, release } from 'node:os';
import { scriptArguments } from '@ringfence/base/script';
import { untilInterrupted } from '@ringfence/runtime/process';
import { builtIn } from '../content.ts';
import { PARTS, type Procedure, playableTechniques, readProcedures } from './corpus.ts';
import { playProcedures } from './play.ts';
import { unprovenLines, unprovenOf } from './proof.ts';
import { missLines, scoreLines } from './report.ts';
import { CONTROLS, judgeProcedure, type Verdict } from './score.ts';
import { readSummary, summaryOf, writeSummary } from './summary.ts';

const { values, positionals: texts } = scriptArguments(import.meta.filename, {
  allowPositionals: true,
  options: {
    part: { type: 'string', default: 'open' },
    lanes: { type: 'string', default: String(cpus().length) },
    scripts: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    unproven: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const print = (lines: readonly string[]): unknown => process.stdout.write(`${lines.join('\n')}\n`);
const { procedures, faults } = readProcedures();
const isPart = [...PARTS, 'all'].includes(values.part);
if (faults.length > 0 || !isPart) {
  print(isPart ? faults : [`--part is ${PARTS.join(', ')} or all`]);
  process.exit(1);
}
if (values.list) list();
else if (values.unproven) print(unprovenLines(unprovenOf(builtIn().rules, readSummary()?.last.raised ?? {})));
else await measure();

function list(): void {
  const counts = Map.groupBy(procedures, ({ technique }) => technique);
  print(playableTechniques().map(({ id, name }) => `${id.padEnd(10)}${counts.get(id)?.length ?? 0}  ${name}`));
}

async function measure(): Promise<void> {
  const part = values.write ? 'all' : values.part;
  const wanted = procedures.filter((procedure) => isInPart(procedure, part) && isNamed(procedure));
  const interrupted = untilInterrupted();
  const verdicts: Verdict[] = [];
  const background = new Map<string, ReadonlySet<string>>();
  await playProcedures([...CONTROLS, ...wanted], {
    lanes: Number(values.lanes),
    first: CONTROLS.length,
    signal: interrupted,
    onPlayed: (procedure, played, code, stderr) => {
      if (CONTROLS.includes(procedure)) {
        const { recommended, hunt } = judgeProcedure(procedure, played);
        background.set(procedure.name, new Set([...recommended, ...hunt]));
        return;
      }
      verdicts.push(judgeProcedure(procedure, played, background));
      if (values.scripts) print([`${procedure.technique} ${procedure.name}: exit code ${code}\n${stderr}`.trimEnd()]);
      else if (!values.json && process.stderr.isTTY) process.stderr.write(`\r${verdicts.length} of ${wanted.length} `);
    },
  });
  if (interrupted.aborted) process.exit(130);
  if (values.json) print([JSON.stringify(summaryOf(verdicts), null, 2)]);
  else if (!values.scripts) report(verdicts);
  if (values.write) writeSummary(summaryOf(verdicts));
}

function report(verdicts: readonly Verdict[]): void {
  const groups = Map.groupBy(verdicts, ({ procedure }) => procedure.part);
  const scores = [...groups].flatMap(([part, some]) => scoreLines(`Part ${part}, kernel ${release()}`, some));
  print([...scores, ...missLines(verdicts)]);
}

function isInPart({ part }: Procedure, wanted: string): boolean {
  return wanted === 'all' || part === wanted;
}

function isNamed({ name, technique }: Procedure): boolean {
  return texts.length === 0 || texts.some((text) => `${technique} ${name}`.includes(text));
}
