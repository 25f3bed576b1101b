import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import { type Forwarder, startForwarder } from '@ringfence/forwarder';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { encode, TOPIC, topicsWith } from '@ringfence/wire';
import type { BenchContext } from '../lib/context.ts';
import { count, percentile, ratio } from '../lib/figures.ts';
import { SIDES, type Side, startCounter } from '../sinks/sides.ts';

/** An outage of an hour at five alerts a second, and at one incident in six seconds */
const ALERTS = 18_000;
const INCIDENTS = 600;
/** Single records for the delay, one every 20 ms */
const SINGLES = 200;
const BATCH = 500;

/**
 * Catch-up after an outage of an hour, CPU per record, and the delay from a record on the bus to the far side. The
 * baseline posts the same number of bytes in requests of the same size, without reading, checking or encoding.
 */
export async function sinks(context: BenchContext): Promise<void> {
  const { report, dir } = context;
  const rows: string[][] = [];
  for (const { server, missing, start } of SIDES) {
    const reason = missing();
    if (reason !== undefined) {
      report.print(`  ${server}: skipped: ${reason}`);
      continue;
    }
    await using stack = new AsyncDisposableStack();
    for (const side of await start(stack, dir)) rows.push([side.name, server, ...(await measure(context, side))]);
  }
  report.table({
    title: `sinks: catch-up of ${count(ALERTS)} alerts, or ${count(INCIDENTS)} incidents, then ${SINGLES} single ones`,
    columns: [
      '',
      'far side',
      'catch-up s',
      'records/s',
      '× of the baseline',
      'CPU µs/record',
      'delay p50 ms',
      'p99 ms',
    ],
    rows,
    notes: [
      `the baseline posts as many bytes over HTTP in requests of ${BATCH} records`,
      'webhook and syslog: until the far side has the record; all others: until it has confirmed it',
      's3 collects records for a second here; jira, thehive and secops are not measured: their far sides would be ours',
    ],
  });
}

async function measure({ dir }: BenchContext, { name, settings, arrived, tickets = false }: Side): Promise<string[]> {
  const folder = join(dir, name.replaceAll(' ', '-'));
  mkdirSync(folder);
  const file = join(folder, 'sink.yaml');
  writeFileSync(file, `{sink: ${name.replaceAll(' ', '-')}, ${settings}}`, { mode: 0o600 });
  await using bus = await openEmbeddedBus({ path: join(folder, 'bus.db') });
  await bus.ensureTopics(topicsWith(1));
  const start = (): Promise<Forwarder> =>
    startForwarder({ options: { sinks: [file] }, bus, trusted: null, trail: null, log: silentLog });
  // Sets the position, so that the backlog is what comes after it.
  await (await start()).close();
  const backlog = tickets ? INCIDENTS : ALERTS;
  const bytes = await produce(bus, tickets, 0, backlog);
  const already = arrived?.() ?? 0;
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  await using forwarder = await start();
  const there = async (): Promise<number> =>
    arrived === undefined ? ((await forwarder.sinks())[0]?.sent ?? 0) : arrived() - already;
  while ((await there()) < backlog) await sleep(20);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const requests = Math.ceil(backlog / BATCH);
  const baseline = await post(Math.ceil(bytes / requests), requests);
  const delays = await delaysOf(bus, tickets, backlog, there);
  await forwarder.close();
  const rate = backlog / seconds;
  return [
    seconds.toFixed(1),
    count(rate),
    ratio(rate, backlog / baseline),
    ((user + system) / backlog).toFixed(0),
    percentile(delays, 50).toFixed(1),
    percentile(delays, 99).toFixed(1),
  ];
}

/** Returns the bytes of the records. */
async function produce(bus: EmbeddedBus, tickets: boolean, from: number, records: number): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < records; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, records - at) }, (_, i) => {
      const alert = createTestAlert(from + at + i);
      const value = tickets ? encode('Incident', createTestIncident([alert], 1)) : encode('Alert', alert);
      bytes += value.length;
      return { topic: tickets ? TOPIC.incidents : TOPIC.alerts, key: alert.hostId, value };
    });
    await bus.produce(batch);
  }
  return bytes;
}

async function delaysOf(
  bus: EmbeddedBus,
  tickets: boolean,
  from: number,
  there: () => Promise<number>,
): Promise<number[]> {
  const delays: number[] = [];
  for (let i = 0; i < SINGLES; i++) {
    const before = await there();
    const began = performance.now();
    await produce(bus, tickets, from + i, 1);
    while ((await there()) === before) await sleep(1);
    delays.push(performance.now() - began);
    await sleep(20);
  }
  return delays;
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
