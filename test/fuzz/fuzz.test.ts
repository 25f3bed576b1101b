import test from 'node:test';
import { reportLine } from './lib/report.ts';
import { fuzz } from './lib/run.ts';
import { TARGETS } from './targets/index.ts';

/** The inputs of the short form are always the same: `npm run fuzz` has others. */
const SEED = 1;

for (const target of TARGETS)
  test(`${target.name}: hostile bytes end in one of its outcomes, and in bounded memory`, async (t) => {
    const report = await fuzz(target, { seed: SEED, runs: target.shortRuns, durationMs: Infinity });
    t.diagnostic(reportLine(target.name, report));
  });
