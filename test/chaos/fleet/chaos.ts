/** Entry point of `npm run chaos`: see docs/RELIABILITY.md. */
import { parseArgs } from 'node:util';
import { exitAfterFlush } from '@ringfence/runtime/process';
import { CASES } from './cases/index.ts';
import { type CaseContext, type ChaosCase, type Outcome, runCase } from './lib/case.ts';
import { ChaosFleet } from './lib/fleet.ts';
import { detailLines, TABLE_HEAD, tableLine } from './lib/report.ts';

const USAGE = `npm run chaos -- [CASE…] [--long] [--list]

Starts a fleet with real servers, runs all cases or the named ones against it, and accounts for every event.
`;

const BATCH_EVERY_MS = 250;

interface Selection {
  readonly cases: readonly ChaosCase[];
  readonly long: boolean;
}

/** Returns a text if it must be printed instead of running cases. */
function parse(args: string[]): Selection | string {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { long: { type: 'boolean' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) return USAGE;
  if (values.list) return CASES.map(({ name, title }) => `${name.padEnd(22)} ${title}`).join('\n');
  const unknown = positionals.filter((name) => !CASES.some((chaosCase) => chaosCase.name === name));
  if (unknown.length > 0) throw new TypeError(`unknown case: ${unknown.join(', ')}; --list prints all cases`);
  const cases = positionals.length === 0 ? CASES : CASES.filter(({ name }) => positionals.includes(name));
  return { cases, long: values.long ?? false };
}

function interrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => reject(new Error(`interrupted by ${name}`)));
  promise.catch(() => {});
  return promise;
}

async function chaos({ cases, long }: Selection): Promise<boolean> {
  const stopped = interrupted();
  await using fleet = await ChaosFleet.start((step) => print(`starting ${step}`), BATCH_EVERY_MS);
  const pick = (shortForm: number, longForm: number): number => (long ? longForm : shortForm);
  const context: CaseContext = { long, pick, note: (text) => print(`  ${text}`) };
  const outcomes: Outcome[] = [];
  for (const chaosCase of cases) {
    print(`\n${chaosCase.name}: ${chaosCase.title}`);
    const outcome = await Promise.race([runCase(fleet, chaosCase, context), stopped]);
    outcomes.push(outcome);
    print([TABLE_HEAD, tableLine(outcome), ...detailLines(outcome)].join('\n'));
  }
  print(['', TABLE_HEAD, ...outcomes.map(tableLine)].join('\n'));
  return !outcomes.some(({ failed }) => failed);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const selection = parse(process.argv.slice(2));
if (typeof selection === 'string') print(selection);
else if (!(await chaos(selection))) process.exitCode = 1;
await exitAfterFlush();
