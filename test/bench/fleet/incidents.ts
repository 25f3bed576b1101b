import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, TOPIC } from '@ringfence/wire';
import type { BenchContext } from '../lib/context.ts';
import { count, millis, percentile } from '../lib/figures.ts';
import type { Child } from './child.ts';
import type { Load } from './flow.ts';
import type { MeasuredFleet } from './measured-fleet.ts';

const INTERVAL_MS = 97; // not in step with anything
const WARM_MS = 3000;
const ARRIVAL_MS = 8000;
/** All of them descend from this process, so they are one incident, and that lists 200 alerts. */
const MAX_OPENS = 90;
/** The tokens of the second series: an incident of the first may still be told of. */
const SECOND_TOKEN = 500_000;

/** ms from just before an open until a reader of the topic had the first record that tells of it. */
interface Arrivals {
  readonly triggered: number;
  readonly alerts: readonly number[];
  readonly incidents: readonly number[];
}

/** How long after a system call on this machine its incident can be read from Kafka; this machine's agent is one of the fleet. */
async function arrivals(
  context: BenchContext,
  place: MeasuredFleet,
  seconds: number,
  first: number,
): Promise<Arrivals> {
  const seen = { alerts: new Map<string, number>(), incidents: new Map<string, number>() };
  const over = new AbortController();
  const reading = Promise.all([
    follow(place, TOPIC.alerts, over.signal, (value) => tokensIn(decode('Alert', value).output), seen.alerts),
    follow(
      place,
      TOPIC.incidents,
      over.signal,
      (value) => decode('Incident', value).alerts.flatMap(({ output }) => tokensIn(output)),
      seen.incidents,
    ),
  ]);
  try {
    await sleep(WARM_MS);
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
    const delays = (found: ReadonlyMap<string, number>): number[] =>
      [...opened].flatMap(([token, at]) => (found.has(token) ? [(found.get(token) ?? 0) - at] : []));
    return { triggered: times, alerts: delays(seen.alerts), incidents: delays(seen.incidents) };
  } finally {
    over.abort();
    await reading;
  }
}

const tokensIn = (text: string): string[] => text.match(/trigger-\d{6}/g) ?? [];
const now = (): number => performance.timeOrigin + performance.now();

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

/** This machine as a host of the fleet, with a sensor of its own. */
export async function joinAgent(place: MeasuredFleet, endpoint: string): Promise<AsyncDisposable> {
  const pinPath = `/sys/fs/bpf/ringfence-bench-${process.pid}-${randomBytes(3).toString('hex')}`;
  const settings = { control: { endpoints: [endpoint] }, sensor: { pinPath } };
  const agent = await place.join({ name: 'agent', services: ['collector'], settings });
  return {
    async [Symbol.asyncDispose]() {
      await agent.stop();
      rmSync(pinPath, { recursive: true, force: true });
    },
  };
}

/** Idle, and while the feed sends at `load.rate`. */
export async function incidents(
  context: BenchContext,
  place: MeasuredFleet,
  feed: Child,
  { endpoint, load }: { readonly endpoint: string; readonly load: Load },
): Promise<void> {
  const { report, options } = context;
  await using _ = await joinAgent(place, endpoint);
  const idle = await arrivals(context, place, options.seconds, 0);
  const feeding = feed.ask(`${load.from} ${load.hosts} ${load.rate}`);
  const loaded = await arrivals(context, place, options.seconds, SECOND_TOKEN);
  await feeding;
  const rows = [
    ['idle', idle],
    [`${count(load.rate)} events/s`, loaded],
  ] as const;
  for (const [label, { triggered, incidents: arrived }] of rows)
    if (arrived.length < triggered)
      report.fail(`${label}: ${triggered - arrived.length} of ${triggered} incidents did not come`);
  report.table({
    title:
      'ms from just before the open on this machine, through agent, Kafka, enricher, Kafka, detector, Kafka (p50 · p99 · max)',
    columns: ['load', 'opens', 'alert read from Kafka', 'incident read from Kafka'],
    rows: rows.map(([label, { triggered, alerts, incidents: arrived }]) => [
      label,
      count(triggered),
      shares(alerts),
      shares(arrived),
    ]),
  });
}

const shares = (times: readonly number[]): string =>
  [50, 99, 100].map((share) => millis(percentile(times, share))).join(' · ');
