import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, TOPIC } from '@ringfence/wire';
import type { BenchContext } from '../lib/context.ts';
import { count, latencies } from '../lib/figures.ts';
import type { Child } from './child.ts';
import type { Load } from './flow.ts';
import type { MeasuredFleet } from './measured-fleet.ts';

/** Prime, so that the opens do not keep in step with a timer */
const INTERVAL_MS = 97;
const WARM_UP_MS = 3000;
const ARRIVAL_MS = 8000;
/** All opens descend from this process and so make one incident, which lists at most 200 alerts. */
const MAX_OPENS = 90;
/** First token of the second series, distinct because an incident of the first series may still be updated */
const SECOND_SERIES = 500_000;

/** Times from just before an open until a reader of the topic had its first record about it, ms */
interface Arrivals {
  readonly triggered: number;
  readonly alerts: readonly number[];
  readonly incidents: readonly number[];
}

/** Opens a watched file repeatedly, and measures when the alerts and incidents can be read from Kafka. */
async function measureArrivals(
  context: BenchContext,
  fleet: MeasuredFleet,
  seconds: number,
  first: number,
): Promise<Arrivals> {
  const seen = { alerts: new Map<string, number>(), incidents: new Map<string, number>() };
  const end = new AbortController();
  const reading = Promise.all([
    follow(fleet, TOPIC.alerts, end.signal, (value) => tokensIn(decode('Alert', value).output), seen.alerts),
    follow(
      fleet,
      TOPIC.incidents,
      end.signal,
      (value) => decode('Incident', value).alerts.flatMap(({ output }) => tokensIn(output)),
      seen.incidents,
    ),
  ]);
  try {
    await sleep(WARM_UP_MS);
    const times = Math.min(MAX_OPENS, Math.max(20, Math.round((seconds * 1000) / (INTERVAL_MS + 5))));
    const lines = await context.programs.lines('trigger', [
      String(times),
      String(INTERVAL_MS),
      '/etc/shadow',
      String(first),
    ]);
    for (let waited = 0; waited < ARRIVAL_MS && seen.incidents.size < times; waited += 50) await sleep(50);
    const opened = new Map(
      lines.map((line) => [line.split(' ')[0] ?? '', Number(BigInt(line.split(' ')[1] ?? '0') / 1000n) / 1000]),
    );
    const delays = (arrived: ReadonlyMap<string, number>): number[] =>
      [...opened].flatMap(([token, at]) => (arrived.has(token) ? [(arrived.get(token) ?? 0) - at] : []));
    return { triggered: times, alerts: delays(seen.alerts), incidents: delays(seen.incidents) };
  } finally {
    end.abort();
    await reading;
  }
}

const tokensIn = (text: string): string[] => text.match(/trigger-\d{6}/g) ?? [];
const now = (): number => performance.timeOrigin + performance.now();

/** Records in `seen` when a record with a token first arrives. */
async function follow(
  { bus }: MeasuredFleet,
  topic: string,
  signal: AbortSignal,
  tokens: (value: Uint8Array) => readonly string[],
  seen: Map<string, number>,
): Promise<void> {
  for await (const { value } of bus.read({ topic, from: 'latest', follow: true, signal })) {
    if (value === null) continue;
    const at = now();
    for (const token of tokens(value)) if (!seen.has(token)) seen.set(token, at);
  }
}

/** Adds this machine to the fleet, with its own sensor. */
export async function joinAgent(fleet: MeasuredFleet, endpoint: string): Promise<AsyncDisposable> {
  const pinPath = `/sys/fs/bpf/ringfence-bench-${process.pid}-${randomBytes(3).toString('hex')}`;
  const settings = { control: { endpoints: [endpoint] }, sensor: { pinPath } };
  const agent = await fleet.join({ name: 'agent', services: ['collector'], settings });
  return {
    async [Symbol.asyncDispose]() {
      await agent.stop();
      rmSync(pinPath, { recursive: true, force: true });
    },
  };
}

/** Measures the time from a system call to its incident in Kafka, idle and while the feed sends at `load.rate`. */
export async function incidents(
  context: BenchContext,
  fleet: MeasuredFleet,
  feed: Child,
  { endpoint, load }: { readonly endpoint: string; readonly load: Load },
): Promise<void> {
  const { report, options } = context;
  await using _ = await joinAgent(fleet, endpoint);
  const idle = await measureArrivals(context, fleet, options.seconds, 0);
  const feeding = feed.ask(`${load.from} ${load.hosts} ${load.rate}`);
  const loaded = await measureArrivals(context, fleet, options.seconds, SECOND_SERIES);
  await feeding;
  const rows = [
    ['idle', idle],
    [`${count(load.rate)} events/s`, loaded],
  ] as const;
  for (const [label, { triggered, incidents: arrived }] of rows)
    if (arrived.length < triggered)
      report.fail(`${label}: ${triggered - arrived.length} of ${triggered} incidents did not arrive`);
  report.table({
    title:
      'ms from just before the open on this machine, through agent, Kafka, enricher, Kafka, detector, Kafka (p50 · p99 · max)',
    columns: ['load', 'opens', 'alert read from Kafka', 'incident read from Kafka'],
    rows: rows.map(([label, { triggered, alerts, incidents: arrived }]) => [
      label,
      count(triggered),
      latencies(alerts),
      latencies(arrived),
    ]),
  });
}
