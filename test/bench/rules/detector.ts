import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';
import { consumerRecords } from '@ringfence/synthetic';
import { EventView, TOPIC } from '@ringfence/wire';
import { count, millis, percentile, range } from '../lib/figures.ts';
import type { Report, Table } from '../lib/report.ts';
import { attacked } from './attacked.ts';

const ROUNDS = 4;

type Records = ReturnType<typeof consumerRecords>;
type Rules = ReturnType<typeof compileDetectorRules>;

/** The detector with rules and chains, a record at a time as from the bus, in memory: over a recorded mix, and over the same beside attacks on many hosts. */
export function measureDetector(batches: readonly Buffer[], sources: readonly RuleSource[], report: Report): Table {
  const rules = compileDetectorRules(sources);
  const quiet = recordsOf(batches);
  return {
    title: `detector: ${count(rules.rules.length)} built-in rules and chains, one thread`,
    columns: [
      'events of',
      'events',
      'alerts',
      'incidents',
      'chains',
      'events per CPU second (min · median · max)',
      'alert → incident p50',
      'p99',
    ],
    rows: [
      measureRow('detector', 'the recorded mix', quiet, rules, report),
      measureRow('detectorAttacked', 'the mix beside attacks', among(quiet, recordsOf(attacked())), rules, report),
    ],
    notes: ['alert → incident: from the batch with the event going in until the incident is out'],
  };
}

/** Each round is a detector with empty memory. */
function measureRow(figure: string, title: string, records: Records, rules: Rules, report: Report): string[] {
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
  report.figure(figure, { perSecond, waited, ...last });
  return [
    title,
    count(last.events),
    count(last.alerts),
    count(last.incidents),
    count(last.chains),
    range(perSecond, count),
    millis(percentile(waited, 50)),
    millis(percentile(waited, 99)),
  ];
}

function recordsOf(batches: readonly Buffer[]): Records {
  const view = new EventView();
  return batches.flatMap((batch, i) => {
    view.open(batch);
    return consumerRecords(view.head.hostId, [batch], TOPIC.events, i);
  });
}

/** The others spread evenly among the many. */
function among(many: Records, others: Records): Records {
  const each = Math.max(1, Math.floor(many.length / others.length));
  const mixed = many.flatMap((record, n) => {
    const other = n % each === 0 ? others[n / each] : undefined;
    return other === undefined ? [record] : [record, other];
  });
  return [...mixed, ...others.slice(Math.ceil(many.length / each))];
}
