import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@ringfence/simulator';
import { TOPIC } from '@ringfence/wire';
import { Child } from '../fleet/child.ts';
import { type Fed, idleCpu, type Load, type Round, round, tellRounds } from '../fleet/flow.ts';
import { incidents } from '../fleet/incidents.ts';
import { manyHosts } from '../fleet/many-hosts.ts';
import { MeasuredFleet } from '../fleet/measured-fleet.ts';
import type { BenchContext } from '../lib/context.ts';
import { count, ratio } from '../lib/figures.ts';
import type { Report } from '../lib/report.ts';

const script = (name: string): string => fileURLToPath(new URL(`../fleet/${name}`, import.meta.url));
/** Hosts that send side by side in a round. */
const SIDE_BY_SIDE = 6;
/** Rounds that need hosts of their own: what a host has sent once is a repetition the second time. */
const ROUNDS = 9;
/** A steady load is this share of what the fleet does with a backlog. */
const STEADY = 0.8;
const SETTLE_MS = 4000;
const ONE_ALERT = { detector: { incidentThreshold: 1 } };

/** What a feed says of its recording, by host. */
interface Prepared {
  readonly events: number;
  readonly batches: number;
  readonly bytes: number;
  readonly shares: Readonly<Record<string, number>>;
}

/** All services as processes of their own over Kafka, on the cores there are. */
export async function fleet(context: BenchContext): Promise<void> {
  const { options, report, dir } = context;
  const path = options.recording ?? (await context.recorded('busy')).path;
  await using place = await MeasuredFleet.start(dir, options, report);
  const endpoint = `127.0.0.1:${await freePort()}`;
  for (const name of ['auditor', 'enricher'] as const) await place.join({ name, services: [name] });
  // One alert is an incident, so that each open has its own to wait for.
  await place.join({ name: 'detector', services: ['detector'], settings: ONE_ALERT });
  await place.join({
    name: 'responder',
    services: ['responder'],
    hosts: ['127.0.0.1'],
    settings: { control: { listen: endpoint } },
  });
  // First, while the services remember nothing else.
  await manyHosts(context, place);
  const perHost = Math.max(20_000, (options.seconds * 50_000) / SIDE_BY_SIDE);
  const hosts = String(SIDE_BY_SIDE * ROUNDS);
  await using feed = new Child('the feed', [
    script('feed.ts'),
    place.adminFile,
    place.authority,
    path,
    hosts,
    String(perHost),
  ]);
  tellRecording(context, await feed.answer<Prepared>());
  await sleep(SETTLE_MS);
  const capacity = await services(context, place, feed);
  const load = { label: 'half', ...hostsOf(5), rate: Math.round(capacity / 2) };
  await incidents(context, place, feed, { endpoint, load });
  await collectorAlone(context, place);
}

const hostsOf = (index: number): Pick<Load, 'from' | 'hosts'> => ({ from: index * SIDE_BY_SIDE, hosts: SIDE_BY_SIDE });

function tellRecording({ report }: BenchContext, { events, batches, bytes, shares }: Prepared): void {
  const kinds = Object.entries(shares)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 6)
    .map(([kind, share]) => `${kind.replace('ringfence.', '')} ${(share * 100).toFixed(1)} %`);
  report.print(
    `  of each host ${count(events)} events in ${count(batches)} batches, ${(bytes / events).toFixed(0)} bytes each: ${kinds.join(', ')}`,
  );
}

/** Events/s that were done when everything waited. */
async function services({ report }: BenchContext, place: MeasuredFleet, feed: Child): Promise<number> {
  const play = (label: string, index: number, rate = 0): Promise<Round> =>
    round(report, place, feed, { label, ...hostsOf(index), rate });
  // What the round before has left to merge is not this one's.
  const run = async (label: string, index: number, rate = 0): Promise<Round> => {
    await idleCpu(place);
    return play(label, index, rate);
  };
  await play('warm-up', 0);
  await play('warm-up', 6);
  const idle = await idleCpu(place);
  const wire = await bytesOnTheWire(report, place, feed);
  place.toggleProfiles();
  const backlog = await run('backlog, Elasticsearch', 1);
  place.toggleProfiles();
  const capacity = backlog.events / backlog.wholeSeconds;
  const steady = await run('steady, Elasticsearch', 2, Math.round(capacity * STEADY));
  const file = await withFile(place, () => run('backlog, SQLite', 3));
  await place.join({ name: 'enricher-2', services: ['enricher'] });
  await place.join({ name: 'detector-2', services: ['detector'], settings: ONE_ALERT });
  await sleep(SETTLE_MS);
  await play('warm-up', 8);
  const two = await run('two enrichers, detectors', 4);
  tellRounds(
    report,
    'raw → Kafka → enriched → detected → audited; acks of all replicas, mutual TLS, zstd; every service a process',
    [backlog, steady, file, two],
    idle,
  );
  report.print(wire);
  const cores = (one: Round, name: string): number =>
    [...one.cpu].reduce((sum, [own, s]) => (own.startsWith(name) ? sum + s : sum), 0) / one.events;
  report.print(
    `  a second enricher and detector: × ${ratio(two.events / two.wholeSeconds, capacity)} events/s where one had × 1; CPU per event × ${ratio(cores(two, 'enricher'), cores(backlog, 'enricher'))} and × ${ratio(cores(two, 'detector'), cores(backlog, 'detector'))}`,
  );
  return capacity;
}

/** Of one host: several that play the same recording would share a packed batch now and then. */
async function bytesOnTheWire(report: Report, place: MeasuredFleet, feed: Child): Promise<string> {
  const before = await place.bytesByTopic();
  const { events, bytes } = await round(report, place, feed, {
    label: 'one host',
    from: 7 * SIDE_BY_SIDE,
    hosts: 1,
    rate: 0,
  });
  const after = await place.bytesByTopic();
  const wire = (topic: string): string => (((after.get(topic) ?? 0) - (before.get(topic) ?? 0)) / events).toFixed(1);
  return `  on the wire and on the broker's disk, of one host: ${wire(TOPIC.raw)} bytes/event raw, ${wire(TOPIC.events)} enriched, ${wire('ringfence.state.enricher')} and ${wire('ringfence.state.detector')} state; ${(bytes / events).toFixed(0)} raw before packing`;
}

/** The audit trail in a file, by an auditor in the place of the other. */
async function withFile(place: MeasuredFleet, work: () => Promise<Round>): Promise<Round> {
  const auditor = place.member('auditor');
  await auditor.stop();
  const other = await place.join({
    name: 'auditor-file',
    services: ['auditor'],
    settings: { auditor: { sink: 'sqlite' } },
  });
  await sleep(SETTLE_MS);
  try {
    return await work();
  } finally {
    await other.stop();
    await auditor.start();
  }
}

/** Transcoding, signing, packing and sending, beside nothing else. */
async function collectorAlone({ options, report, dir }: BenchContext, place: MeasuredFleet): Promise<void> {
  for (const member of place.members.all) if (member.name !== 'registrar') await member.stop();
  const before = place.cpu();
  await using child = new Child('the collector', [
    script('collector.ts'),
    place.adminFile,
    String(options.seconds),
    dir,
  ]);
  const { events, bytes, seconds, cpuSeconds, refusals } = await child.answer<
    Fed & { cpuSeconds: number; refusals: number }
  >();
  const kafka = (place.cpu().get('Kafka') ?? 0) - (before.get('Kafka') ?? 0);
  if (refusals > 0) report.fail(`the brokers refused ${refusals} batches of the collector`);
  report.table({
    title: 'a collector alone into Kafka: records as the kernel writes them (opens), without a kernel that makes them',
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
