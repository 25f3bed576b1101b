/** Fuzzes a reader of hostile bytes: `npm run fuzz -- TARGET --seconds N`. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { reportLine } from './lib/report.ts';
import { FuzzFinding, fuzz } from './lib/run.ts';
import type { FuzzTarget } from './lib/target.ts';
import { TARGETS } from './targets/index.ts';

const USAGE = `Gives hostile bytes to a reader until the time is over, or until an input crashes it, takes 30 seconds
of CPU time, allocates too much memory, or ends in an outcome that the reader does not have.

  npm run fuzz -- TARGET [--seconds N] [--seed N]

  TARGET       one of the list below, or "all", which shares the time
  --seconds N  how long; 60 if not given
  --seed N     the inputs of an earlier run: each run prints its seed

${TARGETS.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n')}

The kept inputs of test/fuzz/corpus/TARGET come first. An input that is a finding is kept there, so that
\`npm test -- fuzz\`, the short form with the same inputs each time, repeats it. Exit code: 0 without a finding,
1 with one, 2 for wrong arguments.`;

interface Options {
  readonly targets: readonly FuzzTarget[];
  readonly seconds: number;
  readonly seed: number;
}

/** Throws TypeError for wrong arguments. */
function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, seconds: { type: 'string' }, seed: { type: 'string' } },
  });
  if (values.help === true) return 'help';
  const [name, ...others] = positionals;
  if (name === undefined || others.length > 0) throw new TypeError('name one target, or all: --help lists them');
  const targets = name === 'all' ? TARGETS : TARGETS.filter((target) => target.name === name);
  if (targets.length === 0) throw new TypeError(`there is no target ${name}: --help lists them`);
  const seconds = Number(values.seconds ?? '60');
  if (!(seconds > 0)) throw new TypeError(`--seconds ${values.seconds}: expected a number above 0`);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError(`--seed ${values.seed}: expected a whole number`);
  return { targets, seconds: seconds / targets.length, seed };
}

/** Keeps the input of a finding in the corpus. Returns its path. */
function keep({ target, input }: FuzzFinding): string {
  const folder = join(import.meta.dirname, 'corpus', target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`);
  writeFileSync(path, input);
  return relative(process.cwd(), path);
}

async function main(): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(error.message);
    return 2;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const { targets, seconds, seed } = options;
  for (const target of targets) {
    try {
      const report = await fuzz(target, { seed, runs: Infinity, durationMs: seconds * 1000 });
      console.log(`seed ${seed}: ${reportLine(target.name, report)}`);
    } catch (error) {
      if (!(error instanceof FuzzFinding)) throw error;
      console.error(`${error.message}\nThe input is kept in ${keep(error)}`);
      return 1;
    }
  }
  return 0;
}

process.exit(await main());
