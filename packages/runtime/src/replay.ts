import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import type { Config, ServiceName } from '@ringfence/config';
import { rulePaths } from '@ringfence/config';
import { type DetectorService, startDetector } from '@ringfence/detector';
import { type EnricherService, startEnricher } from '@ringfence/enricher';
import { loadPolicyFiles, type Responder, startResponder } from '@ringfence/responder';
import {
  type Alert,
  type Command,
  createSigningKey,
  decode,
  type Incident,
  type Recording,
  type RecordName,
  type RecordTypes,
  type Result,
  routeOf,
  TOPIC,
} from '@ringfence/wire';
import type { AppLog } from './app.ts';
import { topicSpecs } from './deployment/topics.ts';
import { lagOf } from './status/groups.ts';

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
  const options = { ...config.responder, mode: 'observe' as const };
  const { enricher, detector, responder } = await startReplayed(
    stack,
    bus,
    recording,
    { ...config, responder: options },
    log,
  );
  const failed = Promise.all([enricher.done, detector.done, responder.done]);
  failed.catch(() => {});
  let batches = 0;
  for await (const record of recording.records()) {
    await bus.produce([{ ...routeOf(record), value: record }]);
    if (++batches % CHUNK === 0) {
      await Promise.race([idle(bus), failed]);
      progress(batches);
    }
  }
  await Promise.race([idle(bus), failed]);
  return { batches, events: enricher.stats().events, ...(await outcome(bus)) };
}

/**
 * Enricher, detector and responder as a replay has them: keys of the recording, rules that stay, the clock of the events, nothing sent to an agent. They end
 * with `stack`.
 */
export async function startReplayed(
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
  const enrolment = { keyFor: (host: string): KeyObject | undefined => enrolled.get(host) };
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
      control: null,
      coordination: null,
      log,
      now: (eventTime) => eventTime,
    }),
  );
  return { enricher, detector, responder };
}

/** In the order the data flows, and the first two again: the detector's second stage makes work for its first. */
const WORK: readonly ServiceName[] = ['enricher', 'detector', 'detector', 'responder'];

/** Until every service has committed all there is: one may have made work for the next while it was asked. */
async function idle(bus: Bus): Promise<void> {
  for (;;) {
    const lags = await Promise.all(WORK.map((service) => lagOf(bus, service)));
    if (lags.every((lag) => lag === 0)) return;
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
