import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Auditor, AuditReader, startAuditor } from '@ringfence/auditor';
import { type EmbeddedBus, openEmbeddedBus } from '@ringfence/bus';
import { type Collector, startCollector } from '@ringfence/collector';
import { type Config, SERVICES, type ServiceName } from '@ringfence/config';
import { type DetectorService, startDetector } from '@ringfence/detector';
import { type EnricherService, startEnricher } from '@ringfence/enricher';
import { loadPolicyFiles, type Responder, renderProblem, startResponder } from '@ringfence/responder';
import type { Interest } from '@ringfence/schema';
import type { createLogger, Log } from '@ringfence/telemetry';
import { sensorObject } from '../commands/context.ts';
import { CliError } from '../errors.ts';
import { type Identity, loadIdentity } from '../identity.ts';
import { VERSION } from '../version.ts';
import { failpointOf } from './failpoint.ts';
import { prepareHost } from './host.ts';
import { rulePaths } from './rule-paths.ts';
import { saySchemas } from './schemas.ts';
import { topicSpecs } from './topics.ts';

/** The services that run in this process; those that run elsewhere are undefined. */
export interface Services {
  collector?: Collector;
  enricher?: EnricherService;
  detector?: DetectorService;
  responder?: Responder;
  auditor?: Auditor;
}

/** `ringfence up` in a process: the chosen services on one bus. */
export interface App extends AsyncDisposable {
  readonly config: Config;
  readonly identity: Identity;
  readonly bus: EmbeddedBus;
  readonly services: Readonly<Services>;
  /** the audit trail; null when the auditor runs elsewhere */
  readonly audit: AuditReader | null;
  /** Rejects with what stopped a service; else resolves after the app was closed. */
  readonly done: Promise<void>;
}

export type AppLog = ReturnType<typeof createLogger>;

const DRAIN_MS = 5000;

/** Starts what `config.services` names, in the order in which the data would be waited for. What was started is stopped again when one fails. */
export async function startApp(config: Config, log: AppLog): Promise<App> {
  const identity = loadIdentity(config.stateDir);
  const stack = new AsyncDisposableStack();
  try {
    const bus = stack.use(await openEmbeddedBus({ ...config.bus.embedded, log }));
    await bus.ensureTopics(topicSpecs(config));
    await saySchemas(bus);
    const services: Services = {};
    const ends: Promise<void>[] = [];
    const started = new Map<ServiceName, Service>();
    stack.defer(() => stopAll(started, bus, log));
    const wants = (name: ServiceName): boolean => config.services.includes(name);
    const keep = <S extends Service>(name: ServiceName, service: S): S => {
      started.set(name, service);
      ends.push(service.done);
      return service;
    };
    if (wants('auditor')) services.auditor = keep('auditor', await auditor(config, bus, log));
    if (wants('enricher')) services.enricher = keep('enricher', await enricher(config, bus, log, identity));
    const interest = new InterestLink();
    if (wants('detector')) services.detector = keep('detector', await detector(config, bus, log, identity, interest));
    if (wants('collector')) {
      prepareHost(log);
      services.collector = keep('collector', await collector(config, bus, log, identity, interest));
      await interest.connect(services.collector);
    }
    if (wants('responder'))
      services.responder = keep('responder', await responder(config, bus, log, identity, services.collector));
    const audit = services.auditor === undefined ? null : stack.use(new AuditReader(config.auditor.path));
    const resources = stack.move();
    const done = Promise.all(ends).then(() => {});
    done.catch(() => {});
    return { config, identity, bus, services, audit, done, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What the rules can match goes to the sensor, from whichever of the two comes last. */
class InterestLink {
  #collector: Collector | undefined;
  #interest: Interest | undefined;

  /** what is known by now */
  get current(): Interest | undefined {
    return this.#interest;
  }

  async connect(collector: Collector): Promise<void> {
    this.#collector = collector;
    if (this.#interest !== undefined) await collector.control.setInterest(this.#interest);
  }

  readonly set = async (interest: Interest): Promise<void> => {
    this.#interest = interest;
    await this.#collector?.control.setInterest(interest);
  };
}

type Service = { readonly done: Promise<void>; close(): Promise<void> };

/** Services stop in the direction of the flow, each when it has caught up or DRAIN_MS have passed; what is left comes at the next start. */
async function stopAll(started: ReadonlyMap<ServiceName, Service>, bus: EmbeddedBus, log: Log): Promise<void> {
  for (const name of SERVICES) {
    const service = started.get(name);
    if (service === undefined) continue;
    try {
      await caughtUp(bus, name);
      await service.close();
    } catch (err) {
      log.error({ err, service: name }, 'a service did not stop cleanly');
    }
  }
}

async function caughtUp(bus: EmbeddedBus, group: string): Promise<void> {
  const until = performance.now() + DRAIN_MS;
  while (performance.now() < until) {
    const lag = await bus.lag(group);
    if ([...lag.values()].every((records) => records === 0)) return;
    await sleep(5);
  }
}

const auditor = (config: Config, bus: EmbeddedBus, log: AppLog): Promise<Auditor> =>
  startAuditor({ options: config.auditor, bus, log: log.child({ service: 'auditor' }), ...failpoint('auditor') });

const enricher = (config: Config, bus: EmbeddedBus, log: AppLog, identity: Identity): Promise<EnricherService> =>
  startEnricher({
    options: config.enricher,
    bus,
    enrolment: { keyFor: (hostId) => identity.enrolled.get(hostId) },
    log: log.child({ service: 'enricher' }),
    ...failpoint('enricher'),
  });

const detector = (
  config: Config,
  bus: EmbeddedBus,
  log: AppLog,
  { hostId, bootId }: Identity,
  interest: InterestLink,
): Promise<DetectorService> =>
  startDetector({
    options: {
      ...config.detector,
      isAgent: (host, boot, pid) => pid === process.pid && host === hostId && boot === bootId,
    },
    rulePaths: rulePaths(config),
    bus,
    onInterest: (next) => void interest.set(next),
    log: log.child({ service: 'detector' }),
    ...failpoint('detector'),
  });

async function collector(
  config: Config,
  bus: EmbeddedBus,
  log: AppLog,
  identity: Identity,
  { current: interest }: InterestLink,
): Promise<Collector> {
  const { sensor, collector: own, stateDir, runDir } = config;
  return startCollector({
    options: {
      sensorObject: sensorObject(),
      stateDir,
      pinPath: sensor.pinPath,
      ringSecurityBytes: sensor.ringSecurityBytes,
      ringBulkBytes: sensor.ringBulkBytes,
      pollIntervalMs: sensor.pollIntervalMs,
      tickMs: own.tickMs,
      batchMaxBytes: own.batchMaxBytes,
      opens: sensor.opens,
      watchedPaths: sensor.watchedPaths,
      spoolPath: own.spool.path,
      spoolMaxBytes: own.spool.maxBytes,
      containerFiles: [join(runDir, 'containers.d')],
      killsPerMinute: own.killsPerMinute,
      hostRoot: own.hostRoot,
      dockerRoots: own.dockerRoots,
      logs: own.logs,
      keepPinned: sensor.keepPinned,
    },
    bus,
    identity: { hostId: identity.hostId, bootId: identity.bootId, key: identity.agentKey, agentVersion: VERSION },
    trustedKeys: identity.trusted,
    log: log.child({ service: 'collector' }),
    // from the first event on: what is read between the start and `connect` counts too
    ...(interest === undefined ? {} : { interest }),
    ...failpoint('collector'),
  });
}

async function responder(
  config: Config,
  bus: EmbeddedBus,
  log: AppLog,
  identity: Identity,
  agent: Collector | undefined,
): Promise<Responder> {
  const loaded = loadPolicyFiles(config.responder.policies);
  if (loaded.problems.length > 0) throw new CliError(loaded.problems.map(renderProblem).join('\n'));
  const failing = failpointOf('responder');
  return startResponder({
    options: config.responder,
    bus,
    key: identity.responderKey,
    policies: loaded.policies,
    control: agent?.control ?? null,
    log: log.child({ service: 'responder' }),
    ...(failing === undefined ? {} : { failpoint: (_, point) => failing(point) }),
  });
}

function failpoint(service: ServiceName): {
  failpoint?: (point: 'before-effect' | 'before-commit' | 'after-commit') => void;
} {
  const point = failpointOf(service);
  return point === undefined ? {} : { failpoint: point };
}
