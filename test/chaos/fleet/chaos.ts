/** What `npm run chaos` runs: see docs/RELIABILITY.md. */
import { parseArgs } from 'node:util';
import { exitAfterFlush } from '@ringfence/runtime/process';
import { CASES } from './cases/index.ts';
import { type CaseContext, type ChaosCase, type Outcome, runCase } from './lib/case.ts';
import { ChaosFleet } from './lib/fleet.ts';
import { detailLines, TABLE_HEAD, tableLine } from './lib/report.ts';

const USAGE = `npm run chaos -- [CASE…] [--long] [--list]

Starts a fleet with real servers, breaks it in each way there is, or in those named, and accounts for every event.
`;

const BATCH_EVERY_MS = 250;

interface Wanted {
  readonly cases: readonly ChaosCase[];
  readonly long: boolean;
}

/** A text: what to say instead of running. */
function parse(args: string[]): Wanted | string {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { long: { type: 'boolean' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) return USAGE;
  if (values.list) return CASES.map(({ name, title }) => `${name.padEnd(22)} ${title}`).join('\n');
  const unknown = positionals.filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0) throw new TypeError(`no case is called ${unknown.join(', ')}; --list shows all`);
  const cases = positionals.length === 0 ? CASES : CASES.filter(({ name }) => positionals.includes(name));
  return { cases, long: values.long ?? false };
}

function interrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => reject(new Error(`ended by ${name}`)));
  promise.catch(() => {});
  return promise;
}

async function chaos({ cases, long }: Wanted): Promise<boolean> {
  const stopped = interrupted();
  await using fleet = await ChaosFleet.start((what) => say(`starting ${what}`), BATCH_EVERY_MS);
  const pick = (short: number, other: number): number => (long ? other : short);
  const context: CaseContext = { long, pick, say: (what) => say(`  ${what}`) };
  const outcomes: Outcome[] = [];
  for (const one of cases) {
    say(`\n${one.name}: ${one.title}`);
    const outcome = await Promise.race([runCase(fleet, one, context), stopped]);
    outcomes.push(outcome);
    say([TABLE_HEAD, tableLine(outcome), ...detailLines(outcome)].join('\n'));
  }
  say(['', TABLE_HEAD, ...outcomes.map(tableLine)].join('\n'));
  return !outcomes.some(({ failed }) => failed);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const wanted = parse(process.argv.slice(2));
if (typeof wanted === 'string') say(wanted);
else if (!(await chaos(wanted))) process.exitCode = 1;
await exitAfterFlush();
