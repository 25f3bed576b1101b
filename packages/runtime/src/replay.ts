import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import { type Config, rulePaths, type ServiceName } from '@ringfence/config';
import { type DetectorService, startDetector } from '@ringfence/detector';
import { type EnricherService, startEnricher } from '@ringfence/enricher';
import { loadPlaybookFiles, loadPolicyFiles, type Responder, startResponder } from '@ringfence/responder';
import type { AppLog } from '@ringfence/telemetry';
import {
  type Alert,
  type Command,
  createSigningKey,
  decode,
  type Incident,
  keyOfHost,
  type Recording,
  type RecordName,
  type RecordTypes,
  type Result,
  routeOf,
  TOPIC,
} from '@ringfence/wire';
import { topicSpecs } from './deployment/deployment.ts';
import { lagOf } from './status/consumer-lag.ts';

export interface ReplayResult {
  readonly batches: number;
  readonly events: number;
  readonly alerts: readonly Alert[];
  /** Last version of each incident, in the order in which they were opened. */
  readonly incidents: readonly Incident[];
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
}

/** Records produced before the services must catch up, so that memory stays bounded. */
const CHUNK = 64;
/** No record of a replay may expire. */
const UNLIMITED = { retentionMs: Number.POSITIVE_INFINITY, retentionBytes: Number.POSITIVE_INFINITY };

/**
 * Runs the services of `up` on a bus in memory, from empty state, with the clock of the events: the same recording and
 * rules give the same bytes, except for the signatures of commands, whose key is new each time. No command is sent.
 */
export async function replay(
  recording: Recording,
  config: Config,
  log: AppLog,
  progress: (batches: number) => void,
): Promise<ReplayResult> {
  await using stack = new AsyncDisposableStack();
  const bus = stack.use(await openEmbeddedBus({ path: ':memory:', maxBytes: 2 ** 33 }));
  await bus.ensureTopics(topicSpecs(config).map((topic) => ({ ...topic, ...UNLIMITED })));
  const observing = { ...config, responder: { ...config.responder, mode: 'observe' as const } };
  const { enricher, detector, responder } = await startReplayServices(stack, bus, recording, observing, log);
  const failed = Promise.all([enricher.done, detector.done, responder.done]);
  failed.catch(() => {});
  let batches = 0;
  for await (const record of recording.records()) {
    await bus.produce([{ ...routeOf(record), value: record }]);
    if (++batches % CHUNK === 0) {
      await Promise.race([untilIdle(bus), failed]);
      progress(batches);
    }
  }
  await Promise.race([untilIdle(bus), failed]);
  return { batches, events: enricher.stats().events, ...(await outcome(bus)) };
}

/**
 * Starts enricher, detector and responder for a replay: with the recording's keys, without reloading rules, with the
 * clock of the events, without sending commands. They are closed with `stack`.
 */
export async function startReplayServices(
  stack: AsyncDisposableStack,
  bus: Bus,
  { enrolled }: Pick<Recording, 'enrolled'>,
  config: Pick<Config, 'enricher' | 'detector' | 'responder'>,
  log: AppLog,
): Promise<{ readonly enricher: EnricherService; readonly detector: DetectorService; readonly responder: Responder }> {
  const keep = <S extends { close(): Promise<void> }>(service: S): S => {
    stack.defer(() => service.close());
    return service;
  };
  const enrolment = {
    keyFor: (host: string, keyId: string): KeyObject | undefined =>
      enrolled.get(keyOfHost(host, keyId)) ?? enrolled.get(host),
  };
  const enricher = keep(
    await startEnricher({ options: { ...config.enricher, silentAfterMs: 0 }, bus, enrolment, log }),
  );
  const detector = keep(
    await startDetector({ options: config.detector, rulePaths: rulePaths(config), watchRules: false, bus, log }),
  );
  const responder = keep(
    await startResponder({
      options: config.responder,
      bus,
      key: createSigningKey(),
      policies: loadPolicyFiles(config.responder.policies).policies,
      playbooks: loadPlaybookFiles(config.responder.playbooks).playbooks,
      control: null,
      coordination: null,
      log,
      now: (eventTime) => eventTime,
    }),
  );
  return { enricher, detector, responder };
}

/** Services in the order in which input passes them. The detector's second stage writes input of its first. */
const FLOW: readonly ServiceName[] = ['enricher', 'detector', 'detector', 'responder'];

/** Waits until all input is committed. Lags are read in the order of `FLOW`: a busy service adds to later lags. */
async function untilIdle(bus: Bus): Promise<void> {
  for (;;) {
    const lags = await Promise.all(FLOW.map((service) => lagOf(bus, service)));
    if (lags.every((lag) => lag === 0)) return;
    await sleep(1);
  }
}

async function outcome(bus: EmbeddedBus): Promise<Omit<ReplayResult, 'batches' | 'events'>> {
  const versions = await readAll(bus, TOPIC.incidents, 'Incident');
  const incidents = new Map(versions.map((incident) => [incident.id, incident]));
  return {
    alerts: await readAll(bus, TOPIC.alerts, 'Alert'),
    incidents: [...incidents.values()],
    commands: await readAll(bus, TOPIC.commands, 'Command'),
    results: await readAll(bus, TOPIC.results, 'Result'),
  };
}

async function readAll<N extends RecordName>(bus: EmbeddedBus, topic: string, name: N): Promise<RecordTypes[N][]> {
  const records: RecordTypes[N][] = [];
  for await (const { value } of bus.read({ topic })) if (value !== null) records.push(decode(name, value));
  return records;
}
