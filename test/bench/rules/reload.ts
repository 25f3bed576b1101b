import { compileDetectorRules, reloadRules } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';
import { EventView } from '@ringfence/wire';
import { count, millis, range } from '../lib/figures.ts';
import type { Report, Table } from '../lib/report.ts';

const RELOADS = 5;
/** First and last rule of the set. Both match every event, so an incomplete set misses one of them. */
const FIRST = '- rule: first\n  condition: process.pid exists\n';
const LAST = '- rule: last\n  condition: process.pid exists\n';

/** Reloads rules while events arrive; a complete rule set must evaluate each event exactly once. */
export function measureReload(batches: readonly Buffer[], sources: readonly RuleSource[], report: Report): Table {
  const version = (n: number): RuleSource[] =>
    sources.map(({ name, text }) => ({ name, text: `# ${n}\n${FIRST}${text}${LAST}` }));
  let set = compileDetectorRules(version(0));
  const view = new EventView();
  const gaps: number[] = [];
  const matches = { first: 0, last: 0 };
  let events = 0;
  const every = Math.max(1, Math.floor(batches.length / (RELOADS + 1)));
  for (const [i, batch] of batches.entries()) {
    if (i > 0 && i % every === 0 && gaps.length < RELOADS) {
      const begin = performance.now();
      set = reloadRules(set, version(i));
      gaps.push(performance.now() - begin);
    }
    view.open(batch);
    for (; view.next(); events++)
      set.matcher.match(
        view,
        ({ name }) => {
          if (name === 'first' || name === 'last') matches[name]++;
        },
        view.cursor.ktime,
      );
  }
  const missed = 2 * events - matches.first - matches.last;
  if (missed !== 0)
    report.fail(`two rules match every event, but matched ${2 * events - missed} instead of ${2 * events} times`);
  report.figure('reload', { gaps, unjudged: missed, events });
  return {
    title: `hot reload of ${count(set.rules.length)} rules between the batches of ${count(events)} events`,
    columns: ['reloads', 'missed matches', 'the stream waits (min · median · max)'],
    rows: [[count(gaps.length), count(missed), range(gaps, millis)]],
  };
}
