import { compileDetectorRules, reloadRules } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';
import { EventView } from '@ringfence/wire';
import { count, millis, range } from '../lib/figures.ts';
import type { Report, Table } from '../lib/report.ts';

const RELOADS = 5;
/** Match every event: whoever judges one by half a set misses one of them. */
const FIRST = '- rule: first\n  condition: process.pid exists\n';
const LAST = '- rule: last\n  condition: process.pid exists\n';

/** Rules are reloaded again and again while events come; each event must be judged by a whole set, once. */
export function measureReload(batches: readonly Buffer[], sources: readonly RuleSource[], report: Report): Table {
  const version = (n: number): RuleSource[] =>
    sources.map(({ name, text }) => ({ name, text: `# ${n}\n${FIRST}${text}${LAST}` }));
  let set = compileDetectorRules(version(0));
  const view = new EventView();
  const gaps: number[] = [];
  const judged = { first: 0, last: 0 };
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
          if (name === 'first' || name === 'last') judged[name]++;
        },
        view.cursor.ktime,
      );
  }
  const unjudged = 2 * events - judged.first - judged.last;
  if (unjudged !== 0) report.fail(`${unjudged} events were judged by half a set, twice, or not at all`);
  report.figure('reload', { gaps, unjudged, events });
  return {
    title: `hot reload of ${count(set.rules.length)} rules between the batches of ${count(events)} events`,
    columns: ['reloads', 'events unjudged', 'the stream waits (min · median · max)'],
    rows: [[count(gaps.length), count(unjudged), range(gaps, millis)]],
  };
}
