/**
 * Plays a recording into `ringfence.raw` for simulated hosts. A separate process, so that its CPU time is separate.
 *
 *   feed.ts SETTINGS AUTHORITY RECORDING HOSTS EVENTS
 *
 * SETTINGS  settings file of a client that may write every topic
 * EVENTS    minimum number of events that each host plays from the recording
 *
 * Prints a line of JSON when the batches of all hosts are ready, and one for each command from stdin:
 * `FROM COUNT RATE` plays the hosts FROM to FROM + COUNT − 1 in parallel, at RATE events/s in total (0: as fast as the
 * brokers accept them). `rest FROM COUNT` sends a minute of ticks for the hosts, so that the services drop the state of
 * their ended processes: the state of a silent host never expires.
 */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { loadConfig } from '@ringfence/config';
import { kafkaOptionsOf } from '@ringfence/runtime/fleet';
import { createSyntheticHost } from '@ringfence/synthetic';
import { openRecording, RawBatchReader, TOPIC } from '@ringfence/wire';
import { sumOf } from '../lib/figures.ts';
import type { Fed } from './flow.ts';
import { enrolHosts, Rewriter, type SimulatedHost, sharesOf } from './hosts.ts';

interface Entry {
  readonly key: string;
  readonly value: Buffer;
  readonly events: number;
}

/** Maximum bytes per produce request */
const REQUEST_BYTES = 2 << 20;
const TICKS = 60;

const [file = '', authority = '', path = '', hosts = '1', limit = '100000'] = process.argv.slice(2);
const config = loadConfig({ file, flags: [] });
await using bus = await openKafkaBus({ ...kafkaOptionsOf(config), clientId: 'bench-feed' });
const recorded = await recordedBatches();
const rewriter = new Rewriter();
const simulated = await enrolHosts(bus, authority, Number(hosts));
const entries: Entry[][] = simulated.map((host) =>
  recorded.map((batch) => {
    const { bytes, events } = rewriter.rewrite(batch, host);
    return { key: host.hostId, value: Buffer.from(bytes), events };
  }),
);
const [first = []] = entries;
print({
  events: sumOf(first.map(({ events }) => events)),
  batches: first.length,
  bytes: sumOf(first.map(({ value }) => value.length)),
  shares: Object.fromEntries(sharesOf(recorded)),
});
for await (const line of createInterface({ input: process.stdin })) {
  const isRest = line.startsWith('rest ');
  const [from = 0, count = 0, rate = 0] = line.replace('rest ', '').split(' ').map(Number);
  print(await (isRest ? rest(simulated.slice(from, from + count)) : play(entries.slice(from, from + count), rate)));
}

/** Reads the start of the recording, so that sequence numbers have no gap. */
async function recordedBatches(): Promise<Buffer[]> {
  await using recording = await openRecording(path);
  const reader = new RawBatchReader();
  const batches: Buffer[] = [];
  let events = 0;
  for await (const bytes of recording.records()) {
    batches.push(bytes);
    reader.open(bytes);
    while (reader.next()) events++;
    if (events >= Number(limit)) break;
  }
  return batches;
}

async function play(hostEntries: readonly (readonly Entry[])[], rate: number) {
  const began = performance.now();
  const cpu = process.cpuUsage();
  let [events, bytes, batches] = [0, 0, 0];
  let batch: Entry[] = [];
  const flush = async (): Promise<void> => {
    await bus.produce(batch.map(({ key, value }) => ({ topic: TOPIC.raw, key, value })));
    for (const entry of batch) {
      events += entry.events;
      bytes += entry.value.length;
      batches++;
    }
    batch = [];
  };
  for (let i = 0; i < (hostEntries[0]?.length ?? 0); i++) {
    for (const host of hostEntries) batch.push(host[i]!);
    const ahead = rate === 0 ? 0 : (events / rate) * 1000 - (performance.now() - began);
    if (ahead > 1) await sleep(ahead);
    if (rate > 0 || sumOf(batch.map(({ value }) => value.length)) >= REQUEST_BYTES) await flush();
  }
  await flush();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  return { events, bytes, batches, seconds, cpuSeconds: (user + system) / 1e6 };
}

/** Sends the ticks of a minute, and one more. */
async function rest(hostsToRest: readonly SimulatedHost[]): Promise<Fed> {
  const { bootId } = headOf(recorded[0]);
  const records = hostsToRest.map(({ hostId, key }) => {
    const host = createSyntheticHost({ hostId, bootId, key, run: randomBytes(8).readBigUInt64LE() >> 1n });
    for (let tick = 0; tick <= TICKS; tick++) host.tick();
    return { topic: TOPIC.raw, key: hostId, value: host.batch() };
  });
  await bus.produce(records);
  const bytes = sumOf(records.map(({ value }) => value.length));
  return { events: records.length * (TICKS + 1), bytes, batches: records.length, seconds: 0 };
}

function headOf(bytes: Buffer | undefined): RawBatchReader['head'] {
  const reader = new RawBatchReader();
  reader.open(bytes ?? Buffer.alloc(0));
  return reader.head;
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
