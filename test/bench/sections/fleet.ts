import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rsyslogMissing, startRsyslog } from '@ringfence/dev-servers';
import { freePort } from '@ringfence/simulator';
import { TOPIC } from '@ringfence/wire';
import { Child } from '../fleet/child.ts';
import { type Fed, idleCpu, type Load, type Round, reportRounds, round } from '../fleet/flow.ts';
import { incidents } from '../fleet/incidents.ts';
import { manyHosts } from '../fleet/many-hosts.ts';
import { MeasuredFleet } from '../fleet/measured-fleet.ts';
import type { BenchContext } from '../lib/context.ts';
import { count, ratio, sumOf } from '../lib/figures.ts';
import type { Report } from '../lib/report.ts';
import { startCounter } from '../sinks/sides.ts';

const script = (name: string): string => fileURLToPath(new URL(`../fleet/${name}`, import.meta.url));
/** Hosts that send in parallel in a round */
const HOSTS_PER_ROUND = 6;
/** Groups of hosts: each round needs new hosts, because batches that a host sends again are duplicates. */
const ROUNDS = 15;
/** Rounds without sinks, and as many with two, by turns */
const SINK_ROUNDS = 3;
/** The steady load, as a share of the rate that the fleet reaches with a backlog */
const STEADY_SHARE = 0.8;
const SETTLE_MS = 4000;
const ONE_ALERT = { detector: { incidentThreshold: 1 } };

/** A host's part of the recording, as the feed reports it */
interface Prepared {
  readonly events: number;
  readonly batches: number;
  readonly bytes: number;
  readonly shares: Readonly<Record<string, number>>;
}

/** Measures all services as separate processes over Kafka, on all cores. */
export async function fleet(context: BenchContext): Promise<void> {
  const { options, report, dir } = context;
  const path = options.recording ?? (await context.recorded('busy')).path;
  await using measured = await MeasuredFleet.start(dir, options, report);
  const endpoint = `127.0.0.1:${await freePort()}`;
  for (const name of ['auditor', 'enricher'] as const) await measured.join({ name, services: [name] });
  // One alert makes an incident, so that each open has its own incident to wait for.
  await measured.join({ name: 'detector', services: ['detector'], settings: ONE_ALERT });
  await measured.join({
    name: 'responder',
    services: ['responder'],
    hosts: ['127.0.0.1'],
    settings: { control: { listen: endpoint } },
  });
  // First, while the services have no other state.
  await manyHosts(context, measured);
  const perHost = Math.max(20_000, (options.seconds * 50_000) / HOSTS_PER_ROUND);
  const hosts = String(HOSTS_PER_ROUND * ROUNDS);
  await using feed = new Child('the feed', [
    script('feed.ts'),
    measured.adminFile,
    measured.authority,
    path,
    hosts,
    String(perHost),
  ]);
  reportRecording(context, await feed.answer<Prepared>());
  await sleep(SETTLE_MS);
  const capacity = await measureServices(context, measured, feed);
  const load = { label: 'half', ...hostsOf(5), rate: Math.round(capacity / 2) };
  await incidents(context, measured, feed, { endpoint, load });
  await measureCollector(context, measured);
}

const hostsOf = (index: number): Pick<Load, 'from' | 'hosts'> => ({
  from: index * HOSTS_PER_ROUND,
  hosts: HOSTS_PER_ROUND,
});

function reportRecording({ report }: BenchContext, { events, batches, bytes, shares }: Prepared): void {
  const kinds = Object.entries(shares)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 6)
    .map(([kind, share]) => `${kind.replace('ringfence.', '')} ${(share * 100).toFixed(1)} %`);
  report.print(
    `  each host sends ${count(events)} events in ${count(batches)} batches, ${(bytes / events).toFixed(0)} bytes per event: ${kinds.join(', ')}`,
  );
}

/** Measures the services in several setups. Returns the events/s processed from a backlog. */
async function measureServices({ report }: BenchContext, measured: MeasuredFleet, feed: Child): Promise<number> {
  const play = (label: string, index: number, rate = 0): Promise<Round> =>
    round(report, measured, feed, { label, ...hostsOf(index), rate });
  // Wait first, so that the merges of the previous round do not count.
  const run = async (label: string, index: number, rate = 0): Promise<Round> => {
    await idleCpu(measured);
    return play(label, index, rate);
  };
  await play('warm-up', 0);
  await play('warm-up', 6);
  const idle = await idleCpu(measured);
  const wire = await bytesOnTheWire(report, measured, feed);
  measured.toggleProfiles();
  const backlog = await run('backlog, Elasticsearch', 1);
  measured.toggleProfiles();
  const capacity = backlog.events / backlog.totalSeconds;
  const steady = await run('steady, Elasticsearch', 2, Math.round(capacity * STEADY_SHARE));
  const sinks = await withSinks(report, measured, run);
  const file = await withFileAuditor(measured, () => run('backlog, SQLite', 3));
  await measured.join({ name: 'enricher-2', services: ['enricher'] });
  await measured.join({ name: 'detector-2', services: ['detector'], settings: ONE_ALERT });
  await sleep(SETTLE_MS);
  await play('warm-up', 8);
  const two = await run('two enrichers, detectors', 4);
  reportRounds(
    report,
    'raw → Kafka → enriched → detected → audited; acks of all replicas, mutual TLS, zstd; each service in its own process',
    [backlog, steady, ...sinks, file, two],
    idle,
  );
  report.print(wire);
  const cpuPerEvent = ({ cpu, events }: Round, prefix: string): number =>
    sumOf([...cpu].filter(([name]) => name.startsWith(prefix)).map(([, seconds]) => seconds)) / events;
  report.print(
    `  a second enricher and detector: × ${ratio(two.events / two.totalSeconds, capacity)} events/s; CPU per event × ${ratio(cpuPerEvent(two, 'enricher'), cpuPerEvent(backlog, 'enricher'))} and × ${ratio(cpuPerEvent(two, 'detector'), cpuPerEvent(backlog, 'detector'))}`,
  );
  return capacity;
}

/**
 * Measures backlogs without sinks and with two by turns, because other load changes within minutes; the fastest of each
 * count. Sinks read alerts, incidents and responses, at positions of their own.
 */
async function withSinks(
  report: Report,
  measured: MeasuredFleet,
  run: (label: string, index: number) => Promise<Round>,
): Promise<Round[]> {
  const reason = rsyslogMissing();
  if (reason !== undefined) {
    report.print(`  two sinks: skipped: ${reason}`);
    return [];
  }
  await using stack = new AsyncDisposableStack();
  const { ports } = stack.use(await startRsyslog());
  const hook = await startCounter();
  stack.defer(() => void hook.server.close());
  const files = {
    soc: `type: syslog, url: 'relp://127.0.0.1:${ports.relp}', format: cef`,
    hook: `type: webhook, url: '${hook.url}'`,
  };
  const folder = stack.adopt(mkdtempSync(join(tmpdir(), 'ringfence-bench-sinks-')), (path) =>
    rmSync(path, { recursive: true }),
  );
  for (const [name, settings] of Object.entries(files))
    writeFileSync(join(folder, `${name}.yaml`), `{sink: ${name}, ${settings}}`, { mode: 0o600 });
  const forwarder = await measured.join({
    name: 'forwarder',
    services: ['forwarder'],
    settings: { forwarder: { sinks: [folder] } },
  });
  const rounds: { readonly without: Round[]; readonly withTwo: Round[] } = { without: [], withTwo: [] };
  for (let i = 0; i < SINK_ROUNDS; i++) {
    await sleep(SETTLE_MS);
    rounds.withTwo.push(await run('backlog, two sinks', 9 + 2 * i));
    await forwarder.stop();
    rounds.without.push(await run('backlog, no sinks', 10 + 2 * i));
    if (i < SINK_ROUNDS - 1) await forwarder.start();
  }
  const rate = ({ events, totalSeconds }: Round): number => events / totalSeconds;
  const [without, withTwo] = [rounds.without, rounds.withTwo].map(
    (played) => played.toSorted((a, b) => rate(b) - rate(a))[0]!,
  ) as [Round, Round];
  const rates = (played: readonly Round[]): string => played.map((one) => count(rate(one))).join(', ');
  report.print(
    `  two sinks: × ${ratio(rate(withTwo), rate(without))} events/s (${rates(rounds.withTwo)}; without ${rates(rounds.without)}); ${count(hook.records())} records sent to the webhook`,
  );
  return [without, withTwo];
}

/** Measures one host alone: several hosts with the same recording would sometimes share a compressed batch. */
async function bytesOnTheWire(report: Report, measured: MeasuredFleet, feed: Child): Promise<string> {
  const before = await measured.bytesByTopic();
  const { events, bytes } = await round(report, measured, feed, {
    label: 'one host',
    from: 7 * HOSTS_PER_ROUND,
    hosts: 1,
    rate: 0,
  });
  const after = await measured.bytesByTopic();
  const wire = (topic: string): string => (((after.get(topic) ?? 0) - (before.get(topic) ?? 0)) / events).toFixed(1);
  return `  on the wire and on the broker's disk, for one host: ${wire(TOPIC.raw)} bytes/event raw, ${wire(TOPIC.events)} enriched, ${wire('ringfence.state.enricher')} and ${wire('ringfence.state.detector')} state; ${(bytes / events).toFixed(0)} raw before compression`;
}

/** Runs `work` with an auditor that writes to a file instead of Elasticsearch. */
async function withFileAuditor(measured: MeasuredFleet, work: () => Promise<Round>): Promise<Round> {
  const auditor = measured.member('auditor');
  await auditor.stop();
  const fileAuditor = await measured.join({
    name: 'auditor-file',
    services: ['auditor'],
    settings: { auditor: { sink: 'sqlite' } },
  });
  await sleep(SETTLE_MS);
  try {
    return await work();
  } finally {
    await fileAuditor.stop();
    await auditor.start();
  }
}

/** Measures the collector's transcoding, signing, compression and sending, with all services stopped. */
async function measureCollector({ options, report, dir }: BenchContext, measured: MeasuredFleet): Promise<void> {
  for (const member of measured.members.all) if (member.name !== 'registrar') await member.stop();
  const before = measured.cpu();
  await using child = new Child('the collector', [
    script('collector.ts'),
    measured.adminFile,
    String(options.seconds),
    dir,
  ]);
  const { events, bytes, seconds, cpuSeconds, refusals } = await child.answer<
    Fed & { cpuSeconds: number; refusals: number }
  >();
  const kafka = (measured.cpu().get('Kafka') ?? 0) - (before.get('Kafka') ?? 0);
  if (refusals > 0) report.fail(`the brokers refused ${refusals} batches of the collector`);
  report.table({
    title: 'a collector alone into Kafka: opens as the kernel writes them, without a sensor',
    columns: [
      'events',
      'events/s',
      'MB/s signed',
      'µs/event collector',
      'µs/event Kafka',
      'events per CPU s of the collector',
    ],
    rows: [
      [
        count(events),
        count(events / seconds),
        (bytes / seconds / 1e6).toFixed(1),
        ((cpuSeconds / events) * 1e6).toFixed(2),
        ((kafka / events) * 1e6).toFixed(2),
        count(events / cpuSeconds),
      ],
    ],
  });
}
