/**
 * Plays a recording through every service, with the log and the audit trail on disk. The first third warms the program up, as a service that has run
 * for a while is; `seconds` is how long the rest took, until the detector had seen it and the audit trail held it.
 *
 *   whole-child.ts RECORDING DIRECTORY
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
/** Records fed before the services are let to work: what the bus holds beside the audit trail stays small. */
const AHEAD = 4096;

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
const warm = Math.floor(records.length / 3);
await play(records.slice(0, warm));
const before = detector.stats().events;
const began = performance.now();
const cpu = process.cpuUsage();
await play(records.slice(warm));
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
const sustained = detector.stats().events - before;
using reader = new AuditReader(trail);
let stored = 0;
for (const _ of reader.events()) stored++;
const detected = detector.stats().events;
const cpuSeconds = (user + system) / 1e6;
process.stdout.write(`${JSON.stringify({ detected, stored, sustained, seconds, cpuSeconds })}\n`);

/** Feeds the records and waits until no service has anything left to do. */
async function play(part: readonly Buffer[]): Promise<void> {
  for (const [index, value] of part.entries()) {
    await bus.produce([{ topic: TOPIC.raw, key: host, value }]);
    if (index % AHEAD === AHEAD - 1) await lagBelow(AHEAD);
  }
  await lagBelow(1);
}

/** Until no service has this many records of its input before it. */
async function lagBelow(records: number): Promise<void> {
  for (;;) {
    const lags = await Promise.all(SERVICES.map((service) => lagOf(bus, service)));
    if (lags.every((lag) => lag < records)) return;
    await sleep(1);
  }
}
