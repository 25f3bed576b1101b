import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import { startRsyslog } from '@ringfence/dev-servers';
import { type Forwarder, startForwarder } from '@ringfence/forwarder';
import { createTestAlert } from '@ringfence/synthetic';
import { encode, TOPIC, topicsWith } from '@ringfence/wire';
import type { BenchContext } from '../lib/context.ts';
import { count, percentile, ratio } from '../lib/figures.ts';

/** An outage of an hour at five alerts a second. */
const BACKLOG = 18_000;
/** Single alerts for the delay, one every 20 ms. */
const SINGLES = 200;
const BATCH = 500;

/** A far side and the settings of its sink. */
interface Side {
  readonly name: string;
  readonly yaml: string;
  /** Number of arrived records */
  arrived(): number;
}

/**
 * Catch-up after an outage of an hour, CPU per record, and the delay from an alert on the bus to the far side. The
 * baseline posts the same number of bytes in requests of the same size, without reading, checking or encoding.
 */
export async function sinks(context: BenchContext): Promise<void> {
  const { report } = context;
  await using stack = new AsyncDisposableStack();
  const receiver = await startCounter();
  stack.defer(() => void receiver.server.close());
  const rsyslog = stack.use(await startRsyslog());
  const sides: Side[] = [
    { name: 'webhook', yaml: `{sink: webhook, type: webhook, url: '${receiver.url}'}`, arrived: receiver.records },
    syslogSide('relp', rsyslog.ports.relp, rsyslog.received),
    syslogSide('tls', rsyslog.ports.tls, rsyslog.received, `, ca: ${rsyslog.caFile}`),
  ];
  const rows: string[][] = [];
  for (const side of sides) rows.push(await measure(context, side));
  report.table({
    title: `sinks: catch-up of ${count(BACKLOG)} alerts in batches of ${BATCH}, then ${SINGLES} single ones`,
    columns: ['', 'records/s', '× of the baseline', 'CPU µs/record', 'delay p50 ms', 'p99 ms'],
    rows,
    notes: ['the baseline posts as many bytes over HTTP in as many requests'],
  });
}

const syslogSide = (scheme: string, port: number, arrived: () => number, more = ''): Side => ({
  name: `syslog by ${scheme}`,
  yaml: `{sink: ${scheme}, type: syslog, url: '${scheme}://127.0.0.1:${port}'${more}}`,
  arrived,
});

async function measure({ dir }: BenchContext, { name, yaml, arrived }: Side): Promise<string[]> {
  const folder = join(dir, name.replaceAll(' ', '-'));
  mkdirSync(folder);
  const file = join(folder, 'sink.yaml');
  writeFileSync(file, yaml, { mode: 0o600 });
  await using bus = await openEmbeddedBus({ path: join(folder, 'bus.db') });
  await bus.ensureTopics(topicsWith(1));
  const start = (): Promise<Forwarder> =>
    startForwarder({ options: { sinks: [file] }, bus, trusted: null, trail: null, log: silentLog });
  // Sets the position, so that the backlog is what comes after it.
  await (await start()).close();
  const bytes = await produce(bus, 0, BACKLOG);
  const before = arrived();
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  await using forwarder = await start();
  while (arrived() - before < BACKLOG) await sleep(5);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const baseline = await post(Math.ceil(bytes / (BACKLOG / BATCH)), BACKLOG / BATCH);
  const delays = await delaysOf(bus, arrived);
  await forwarder.close();
  const rate = BACKLOG / seconds;
  return [
    name,
    count(rate),
    ratio(rate, BACKLOG / baseline),
    ((user + system) / BACKLOG).toFixed(0),
    percentile(delays, 50).toFixed(1),
    percentile(delays, 99).toFixed(1),
  ];
}

/** Returns the bytes of the records. */
async function produce(bus: EmbeddedBus, from: number, records: number): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < records; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, records - at) }, (_, i) => {
      const alert = createTestAlert(from + at + i);
      const value = encode('Alert', alert);
      bytes += value.length;
      return { topic: TOPIC.alerts, key: alert.hostId, value };
    });
    await bus.produce(batch);
  }
  return bytes;
}

async function delaysOf(bus: EmbeddedBus, arrived: () => number): Promise<number[]> {
  const delays: number[] = [];
  for (let i = 0; i < SINGLES; i++) {
    const before = arrived();
    const began = performance.now();
    await produce(bus, BACKLOG + i, 1);
    while (arrived() === before) await sleep(1);
    delays.push(performance.now() - began);
    await sleep(20);
  }
  return delays;
}

interface Counter {
  readonly server: Server;
  readonly url: string;
  readonly records: () => number;
}

async function startCounter(): Promise<Counter> {
  let records = 0;
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    if (incoming.url === '/') records += (JSON.parse(body) as unknown[]).length;
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, records: () => records };
}

/** Posts requests one after the other to a server that only reads them. Returns the seconds. */
async function post(bytes: number, requests: number): Promise<number> {
  const { server, url } = await startCounter();
  const body = Buffer.alloc(bytes, 'x');
  const began = performance.now();
  for (let i = 0; i < requests; i++)
    await new Promise<void>((resolve, reject) => {
      const sent = request(`${url}raw`, { method: 'POST' }, (response) => response.resume().on('end', () => resolve()));
      sent.on('error', reject).end(body);
    });
  server.close();
  return (performance.now() - began) / 1000;
}
