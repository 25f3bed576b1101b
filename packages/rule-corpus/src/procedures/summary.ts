import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Tactic } from '@ringfence/rules';
import { builtIn } from '../content.ts';
import type { Part } from './corpus.ts';
import { type Raised, raisedBy } from './proof.ts';
import { byTactic, missLines } from './report.ts';
import { type Score, scoreOf, type Verdict } from './score.ts';

/** Measurements: the first one, before any rule was changed for the corpus, and the last one. */
const SUMMARY = join(import.meta.dirname, '../../procedures.json');

/** Shares of one part of the corpus. */
export interface PartScore extends Score {
  readonly procedures: number;
}

export interface Measurement {
  /** Command that writes the file. */
  readonly madeBy: string;
  /** Day on which the procedures were played. */
  readonly measured: string;
  readonly kernel: string;
  /** Number of rules. */
  readonly rules: number;
  readonly open: PartScore;
  readonly heldOut: PartScore;
  /** Absent before there were procedures of this part. */
  readonly later?: PartScore;
  /** Shares of the open part by tactic. */
  readonly tactics: Readonly<Partial<Record<Tactic, PartScore>>>;
  /** Misses of the parts that are not held out. */
  readonly misses: readonly string[];
  /** Techniques of the procedures that raised a rule, by its name; without those that are held out. */
  readonly raised?: Raised;
}

export interface Summary {
  readonly first: Measurement;
  readonly last: Measurement;
}

export function summaryOf(verdicts: readonly Verdict[]): Measurement {
  const of = (name: Part): Verdict[] => verdicts.filter(({ procedure }) => procedure.part === name);
  const open = of('open');
  return {
    madeBy: 'npm run procedures -- --write',
    measured: new Date().toISOString().slice(0, 10),
    kernel: release().split('-', 1)[0] ?? '',
    rules: builtIn().rules.length,
    open: part(open),
    heldOut: part(of('held-out')),
    later: part(of('later')),
    tactics: Object.fromEntries(byTactic(open).map(([tactic, some]) => [tactic, part(some)])),
    misses: missLines(verdicts),
    raised: raisedBy(verdicts),
  };
}

const part = (verdicts: readonly Verdict[]): PartScore => ({ procedures: verdicts.length, ...scoreOf(verdicts) });

/** Returns the committed measurements, or undefined before the first one. */
export function readSummary(): Summary | undefined {
  try {
    return JSON.parse(readFileSync(SUMMARY, 'utf8')) as Summary;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a measurement as the last one, and as the first one unless there is one. */
export function writeSummary(last: Measurement): void {
  writeFileSync(SUMMARY, `${JSON.stringify({ first: readSummary()?.first ?? last, last }, null, 2)}\n`);
}
