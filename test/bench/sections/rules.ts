import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileDetectorRules, type Rules } from '@ringfence/detector';
import { EventView } from '@ringfence/schema';
import { parse, stringify } from 'yaml';
import { HOME } from '../../../cli/src/commands/context.ts';
import type { BenchContext } from '../lib/context.ts';
import { BenchError } from '../lib/errors.ts';
import { count, percentile, range, ratio } from '../lib/figures.ts';

const FEW = 25;
const MANY = 1000;
const ROUNDS = 5;

type Item = Readonly<Record<string, unknown>>;

/** Matching alone, over the recorded events. */
export async function rules(context: BenchContext): Promise<void> {
  const { report, recorded } = context;
  const { batches } = await recorded();
  const items = builtinItems();
  const own = items.filter((item) => item['rule'] !== undefined);
  const shared = items.filter((item) => item['rule'] === undefined);
  const few = own.slice(0, FEW);
  const cases: readonly (readonly [string, Rules | null])[] = [
    ['no rules: only walking the events', null],
    [`${FEW} rules`, compile(shared, few)],
    [`all ${own.length} built-in rules`, compile(shared, own)],
    [`${count(MANY)} rules: the ${FEW} copied and renamed`, compile(shared, copies(few, MANY))],
  ];
  const results = measureAll(batches, cases);
  const base = results[1]?.perSecond ?? [];
  report.table({
    title: `matching alone: ${count(results[0]?.events ?? 0)} recorded events of load busy, one thread`,
    columns: ['', 'events per CPU second (min · median · max)', `× ${FEW} rules`, 'ns/event', 'matches'],
    rows: results.map(({ name, perSecond, matches }) => [
      name,
      range(perSecond, count),
      ratio(percentile(perSecond, 50), percentile(base, 50)),
      (1e9 / percentile(perSecond, 50)).toFixed(0),
      count(matches),
    ]),
  });
  report.figure('cases', results);
}

/** In turn, so that what else the machine does falls on all of them. */
function measureAll(batches: readonly Buffer[], cases: readonly (readonly [string, Rules | null])[]) {
  const results = cases.map(([name]) => ({ name, perSecond: [] as number[], matches: 0, events: 0 }));
  for (let round = -1; round < ROUNDS; round++)
    for (const [i, [, set]] of cases.entries()) {
      const result = results[i];
      if (result === undefined) continue;
      const begin = process.threadCpuUsage();
      const { events, matches } = matchAll(batches, set);
      const { user, system } = process.threadCpuUsage(begin);
      const seconds = (user + system) / 1e6;
      Object.assign(result, { events, matches });
      // The first round only warms up.
      if (round >= 0) result.perSecond.push(events / seconds);
    }
  return results;
}

function matchAll(batches: readonly Buffer[], set: Rules | null): { events: number; matches: number } {
  const view = new EventView();
  let events = 0;
  let matches = 0;
  const matched = (): void => {
    matches++;
  };
  for (const batch of batches) {
    view.open(batch);
    while (view.next()) {
      events++;
      set?.matcher.match(view, matched, view.cursor.ktime);
    }
  }
  return { events, matches };
}

/** Rules, macros and lists of the built-in content. */
function builtinItems(): Item[] {
  const dir = join(HOME, 'rules');
  const files = readdirSync(dir).filter((name) => /\.ya?ml$/.test(name));
  return files.sort().flatMap((name) => parse(readFileSync(join(dir, name), 'utf8')) as Item[]);
}

function copies(items: readonly Item[], total: number): Item[] {
  return Array.from({ length: total }, (_, i) => {
    const copy = Math.floor(i / items.length);
    const item = items[i % items.length] as Item;
    return copy === 0 ? item : { ...item, rule: `${item['rule']} (copy ${copy})` };
  });
}

function compile(shared: readonly Item[], own: readonly Item[]): Rules {
  const set = compileDetectorRules([
    { name: 'bench.yaml', text: stringify([...shared, ...own], { aliasDuplicateObjects: false }) },
  ]);
  const broken = set.diagnostics.find(({ severity }) => severity === 'error');
  if (broken !== undefined || set.rules.length !== own.length)
    throw new BenchError('ERR_BENCH_SETUP', `only ${set.rules.length} of ${own.length} rules load: ${broken?.message}`);
  return set;
}
