import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';
import { EventView, TOPIC } from '@ringfence/schema';
import { testRecords } from '@ringfence/testkit';
import { count, millis, percentile, range } from '../lib/figures.ts';
import type { Report, Table } from '../lib/report.ts';

const ROUNDS = 4;

/** The detector with rules and chains, a record at a time as from the bus, in memory. Each round is a detector with empty memory. */
export function measureDetector(batches: readonly Buffer[], sources: readonly RuleSource[], report: Report): Table {
  const rules = compileDetectorRules(sources);
  const records = recordsOf(batches);
  const perSecond: number[] = [];
  let waited: number[] = [];
  let last = { events: 0, alerts: 0, incidents: 0, chains: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    using detector = createDetectorPipeline({ rules });
    waited = [];
    const begin = process.threadCpuUsage();
    for (const record of records) {
      const start = performance.now();
      const { outputs } = detector.handle([record]);
      // An alert and its incident leave together, at the latest when the batch that holds the event is through.
      if (outputs.some(({ topic }) => topic === TOPIC.incidents)) waited.push(performance.now() - start);
    }
    const { user, system } = process.threadCpuUsage(begin);
    last = detector.stats();
    // The first round only warms up.
    if (round > 0) perSecond.push((last.events * 1e6) / (user + system));
  }
  report.figure('detector', { perSecond, waited, ...last });
  return {
    title: `detector: ${count(rules.rules.length)} built-in rules and chains, one thread`,
    columns: [
      'events',
      'alerts',
      'incidents',
      'chains',
      'events per CPU second (min · median · max)',
      'alert → incident p50',
      'p99',
    ],
    rows: [
      [
        count(last.events),
        count(last.alerts),
        count(last.incidents),
        count(last.chains),
        range(perSecond, count),
        millis(percentile(waited, 50)),
        millis(percentile(waited, 99)),
      ],
    ],
    notes: ['alert → incident: from the batch with the event going in until the incident is out'],
  };
}

function recordsOf(batches: readonly Buffer[]): ReturnType<typeof testRecords> {
  const view = new EventView();
  return batches.flatMap((batch, i) => {
    view.open(batch);
    return testRecords(view.head.hostId, [batch], TOPIC.events, i);
  });
}
