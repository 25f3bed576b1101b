import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import type { Config } from '@ringfence/config';
import { startDetector } from '@ringfence/detector';
import { startEnricher } from '@ringfence/enricher';
import { loadPolicyFiles, startResponder } from '@ringfence/responder';
import {
  type Alert,
  type Command,
  createSigningKey,
  decode,
  type Incident,
  RawBatchReader,
  type RecordName,
  type RecordTypes,
  type Result,
  TOPIC,
} from '@ringfence/schema';
import type { Recording } from '../recording.ts';
import type { AppLog } from './app.ts';
import { rulePaths } from './rule-paths.ts';
import { topicSpecs } from './topics.ts';

export interface ReplayResult {
  readonly batches: number;
  readonly events: number;
  readonly alerts: readonly Alert[];
  /** the last version of each, in the order they were opened */
  readonly incidents: readonly Incident[];
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
}

/** Records fed before the pipeline is waited for, so that memory stays bounded. */
const CHUNK = 64;
/** Endless: nothing of a replay may expire. */
const FOR_EVER = { retentionMs: Number.POSITIVE_INFINITY, retentionBytes: Number.POSITIVE_INFINITY };

/**
 * The services of `up` on a bus in memory, from empty state, with the clock of the events: the same recording and rules give the same bytes.
 * Commands are signed with a key of the moment; everything else of them is the same too. Nothing is sent to an agent.
 */
export async function replay(
  recording: Recording,
  config: Config,
  log: AppLog,
  progress: (batches: number) => void,
): Promise<ReplayResult> {
  await using stack = new AsyncDisposableStack();
  const bus = stack.use(await openEmbeddedBus({ path: ':memory:', maxBytes: 2 ** 33 }));
  await bus.ensureTopics(topicSpecs(config).map((topic) => ({ ...topic, ...FOR_EVER })));
  const keep = <S extends { close(): Promise<void> }>(service: S): S => {
    stack.defer(() => service.close());
    return service;
  };
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
  const options = { ...config.responder, mode: 'observe' as const };
  const responder = keep(
    await startResponder({
      options,
      bus,
      key: createSigningKey(),
      policies,
      control: null,
      coordination: null,
      log,
      now: (eventTime) => eventTime,
    }),
  );
  const failed = Promise.all([enricher.done, detector.done, responder.done]);
  failed.catch(() => {});
  let batches = 0;
  for await (const record of recording.records()) {
    await bus.produce([{ topic: TOPIC.raw, key: hostOf(record), value: record }]);
    if (++batches % CHUNK === 0) {
      await Promise.race([idle(bus), failed]);
      progress(batches);
    }
  }
  await Promise.race([idle(bus), failed]);
  return { batches, events: enricher.stats().events, ...(await outcome(bus)) };
}

/** The key that the record had on the bus. Throws SchemaError when it is no RawBatch. */
function hostOf(record: Buffer): string {
  const reader = new RawBatchReader();
  reader.open(record);
  return reader.head.hostId;
}

/** Until every service has committed all there is: one may have made work for the next while it was asked. */
async function idle(bus: EmbeddedBus): Promise<void> {
  for (;;) {
    const lags = await Promise.all(
      // The detector's second stage makes work for its first.
      ['enricher', 'detector', 'detector-edges', 'detector', 'responder'].map((group) => bus.lag(group)),
    );
    if (lags.every((lag) => [...lag.values()].every((records) => records === 0))) return;
    await sleep(1);
  }
}

async function outcome(bus: EmbeddedBus): Promise<Omit<ReplayResult, 'batches' | 'events'>> {
  const incidents = new Map((await all(bus, TOPIC.incidents, 'Incident')).map((incident) => [incident.id, incident]));
  return {
    alerts: await all(bus, TOPIC.alerts, 'Alert'),
    incidents: [...incidents.values()],
    commands: await all(bus, TOPIC.commands, 'Command'),
    results: await all(bus, TOPIC.results, 'Result'),
  };
}

async function all<N extends RecordName>(bus: EmbeddedBus, topic: string, name: N): Promise<RecordTypes[N][]> {
  const items: RecordTypes[N][] = [];
  for await (const { value } of bus.read({ topic })) if (value !== null) items.push(decode(name, value));
  return items;
}
