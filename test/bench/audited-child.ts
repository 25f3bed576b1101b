/**
 * Plays a recording through every service, with the log and the audit trail on disk. The first third warms the program
 * up; `seconds` is the time until the detector has processed the rest and the audit trail has stored it.
 *
 *   audited-child.ts RECORDING DIRECTORY
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditReader, startAuditor } from '@ringfence/auditor';
import { openEmbeddedBus } from '@ringfence/bus';
import { loadConfig, SERVICES } from '@ringfence/config';
import { startReplayServices } from '@ringfence/runtime/replay';
import { lagOf } from '@ringfence/runtime/status';
import { createLogger } from '@ringfence/telemetry';
import { openRecording, TOPIC, topicsWith } from '@ringfence/wire';

const [path = '', dir = ''] = process.argv.slice(2);
/** Maximum lag before more records are produced, so that the bus stays small */
const MAX_LAG = 4096;

const config = loadConfig();
const log = createLogger({ ...config.log, level: 'warn' });
await using recording = await openRecording(path);
await using stack = new AsyncDisposableStack();
const bus = stack.use(await openEmbeddedBus({ path: join(dir, 'bus.db'), maxBytes: 2 ** 33 }));
await bus.ensureTopics(topicsWith(1));
const trail = join(dir, 'audit.db');
const auditor = await startAuditor({ options: { path: trail }, bus, log });
stack.defer(() => auditor.close());
const { detector } = await startReplayServices(stack, bus, recording, config, log);

const [host = ''] = recording.enrolled.keys();
const records = await Array.fromAsync(recording.records());
const warmUp = Math.floor(records.length / 3);
await play(records.slice(0, warmUp));
const before = detector.stats().events;
const began = performance.now();
const cpu = process.cpuUsage();
await play(records.slice(warmUp));
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
const sustained = detector.stats().events - before;
using reader = new AuditReader(trail);
let stored = 0;
for (const _ of reader.events()) stored++;
const detected = detector.stats().events;
const cpuSeconds = (user + system) / 1e6;
process.stdout.write(`${JSON.stringify({ detected, stored, sustained, seconds, cpuSeconds })}\n`);

/** Produces the records and waits until every service has processed them. */
async function play(values: readonly Buffer[]): Promise<void> {
  for (const [index, value] of values.entries()) {
    await bus.produce([{ topic: TOPIC.raw, key: host, value }]);
    if (index % MAX_LAG === MAX_LAG - 1) await lagBelow(MAX_LAG);
  }
  await lagBelow(1);
}

/** Waits until the lag of every service is below `limit` records. */
async function lagBelow(limit: number): Promise<void> {
  for (;;) {
    const lags = await Promise.all(SERVICES.map((service) => lagOf(bus, service)));
    if (lags.every((lag) => lag < limit)) return;
    await sleep(1);
  }
}
