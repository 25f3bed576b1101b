import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';
import { consumerRecords } from '@ringfence/synthetic';
import { EventView, TOPIC } from '@ringfence/wire';
import { count, millis, percentile, range } from '../lib/figures.ts';
import type { Report, Table } from '../lib/report.ts';
import { recordAttacks } from './attacks.ts';

const ROUNDS = 4;

type Records = ReturnType<typeof consumerRecords>;
type Rules = ReturnType<typeof compileDetectorRules>;

/**
 * Measures the detector with rules and chains in memory, one record at a time: over a recorded mix, and over the same
 * mix together with attacks on many hosts.
 */
export function measureDetector(batches: readonly Buffer[], sources: readonly RuleSource[], report: Report): Table {
  const rules = compileDetectorRules(sources);
  const mix = recordsOf(batches);
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
      measureRow('detector', 'the recorded mix', mix, rules, report),
      measureRow('detectorAttacked', 'the mix with attacks', spread(mix, recordsOf(recordAttacks())), rules, report),
    ],
    notes: ['alert → incident: from the input of the batch with the event to the output of the incident'],
  };
}

/** Measures rounds, each with a new detector. */
function measureRow(figure: string, title: string, records: Records, rules: Rules, report: Report): string[] {
  const perSecond: number[] = [];
  let latenciesMs: number[] = [];
  let last = { events: 0, alerts: 0, incidents: 0, chains: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    using detector = createDetectorPipeline({ rules });
    latenciesMs = [];
    const begin = process.threadCpuUsage();
    for (const record of records) {
      const start = performance.now();
      const { outputs } = detector.handle([record]);
      // An alert and its incident are output together, at the latest at the end of the event's batch.
      if (outputs.some(({ topic }) => topic === TOPIC.incidents)) latenciesMs.push(performance.now() - start);
    }
    const { user, system } = process.threadCpuUsage(begin);
    last = detector.stats();
    // The first round only warms up.
    if (round > 0) perSecond.push((last.events * 1e6) / (user + system));
  }
  report.figure(figure, { perSecond, waited: latenciesMs, ...last });
  return [
    title,
    count(last.events),
    count(last.alerts),
    count(last.incidents),
    count(last.chains),
    range(perSecond, count),
    millis(percentile(latenciesMs, 50)),
    millis(percentile(latenciesMs, 99)),
  ];
}

function recordsOf(batches: readonly Buffer[]): Records {
  const view = new EventView();
  return batches.flatMap((batch, i) => {
    view.open(batch);
    return consumerRecords(view.head.hostId, [batch], TOPIC.events, i);
  });
}

/** Inserts the records of `few` evenly into `many`. */
function spread(many: Records, few: Records): Records {
  const every = Math.max(1, Math.floor(many.length / few.length));
  const mixed = many.flatMap((record, n) => {
    const inserted = n % every === 0 ? few[n / every] : undefined;
    return inserted === undefined ? [record] : [record, inserted];
  });
  return [...mixed, ...few.slice(Math.ceil(many.length / every))];
}
