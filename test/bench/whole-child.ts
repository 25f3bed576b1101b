/**
 * Plays a recording through every service, with the log and the audit trail on disk, and prints how long that took without the start of the program.
 * The detector's input is complete when `seconds` end, and so is the audit trail.
 *
 *   whole-child.ts RECORDING DIRECTORY
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditReader, startAuditor } from '@ringfence/auditor';
import { openEmbeddedBus } from '@ringfence/bus';
import { loadConfig } from '@ringfence/config';
import { startDetector } from '@ringfence/detector';
import { startEnricher } from '@ringfence/enricher';
import { loadPolicyFiles, startResponder } from '@ringfence/responder';
import { createSigningKey, TOPIC } from '@ringfence/schema';
import { createLogger } from '@ringfence/telemetry';
import { rulePaths } from '../../cli/src/app/rule-paths.ts';
import { topicSpecs } from '../../cli/src/app/topics.ts';
import { openRecording } from '../../cli/src/recording.ts';

const [path = '', dir = ''] = process.argv.slice(2);
const GROUPS = ['enricher', 'detector', 'responder', 'responder-dispatch', 'auditor'];
/** Records fed before the services are let to work: what the bus holds beside the audit trail stays small. */
const AHEAD = 4096;

const config = loadConfig();
const log = createLogger({ ...config.log, level: 'warn' });
await using recording = await openRecording(path);
await using stack = new AsyncDisposableStack();
const bus = stack.use(await openEmbeddedBus({ path: join(dir, 'bus.db'), maxBytes: 2 ** 33 }));
await bus.ensureTopics(topicSpecs(config));
const trail = join(dir, 'audit.db');
const keep = <S extends { close(): Promise<void> }>(service: S): S => {
  stack.defer(() => service.close());
  return service;
};
keep(await startAuditor({ options: { path: trail }, bus, log }));
const enricher = keep(
  await startEnricher({
    options: config.enricher,
    bus,
    enrolment: { keyFor: (host) => recording.enrolled.get(host) },
    log,
  }),
);
const detector = keep(
  await startDetector({ options: config.detector, rulePaths: rulePaths(config), watchRules: false, bus, log }),
);
const { policies } = loadPolicyFiles(config.responder.policies);
keep(
  await startResponder({
    options: config.responder,
    bus,
    key: createSigningKey(),
    policies,
    control: null,
    log,
    now: (eventTime) => eventTime,
  }),
);

const [host = ''] = recording.enrolled.keys();
const records = await Array.fromAsync(recording.records());
const began = performance.now();
const cpu = process.cpuUsage();
for (const [index, value] of records.entries()) {
  await bus.produce([{ topic: TOPIC.raw, key: host, value }]);
  if (index % AHEAD === AHEAD - 1) await lagBelow(AHEAD);
}
await lagBelow(1);
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
using reader = new AuditReader(trail);
let stored = 0;
for (const _ of reader.events()) stored++;
const { events } = enricher.stats();
process.stdout.write(
  `${JSON.stringify({ events, detected: detector.stats().events, stored, seconds, cpuSeconds: (user + system) / 1e6 })}\n`,
);

/** Until no service has this many records of its input before it. */
async function lagBelow(records: number): Promise<void> {
  for (;;) {
    const lags = await Promise.all(GROUPS.map((group) => bus.lag(group)));
    if (lags.every((lag) => [...lag.values()].every((left) => left < records))) return;
    await sleep(1);
  }
}
