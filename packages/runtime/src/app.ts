import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Auditor, AuditReader, ClusterReader, TrailReader } from '@ringfence/auditor';
import { defined, endsWithin, VERSION } from '@ringfence/base';
import { type Config, SERVICES, type ServiceName } from '@ringfence/config';
import type { ControlLink } from '@ringfence/control';
import type { DetectorService } from '@ringfence/detector';
import type { EnricherService } from '@ringfence/enricher';
import type { Forwarder } from '@ringfence/forwarder';
import type { Registrar } from '@ringfence/registrar';
import type { Responder } from '@ringfence/responder';
import { type AppLog, type StepTracer, startTracing } from '@ringfence/telemetry';
import type { Deployment } from './deployment/deployment.ts';
import { openDeployment } from './deployment/open-deployment.ts';
import { prepareHost } from './host/prepare-host.ts';
import { InterestForwarder } from './interest-forwarder.ts';
import { type OperatorRecords, openOperatorRecords, startAction, starter } from './operators.ts';
import { collectGarbageWhenQuiet } from './process/collect-garbage.ts';
import type { SensorClient } from './split/sensor-client.ts';
import * as start from './start-services.ts';
import { lagOf } from './status/consumer-lag.ts';

/** The services of this process; undefined for a service that does not run in it. */
export interface Services {
  collector?: start.CollectorHandle;
  enricher?: EnricherService;
  detector?: DetectorService;
  responder?: Responder;
  auditor?: Auditor;
  /** Undefined also when no sink is set. */
  forwarder?: Forwarder;
  registrar?: Registrar;
}

/** `ringfence up`: the chosen services on an embedded log or as a member of a fleet. */
export interface App extends AsyncDisposable {
  readonly config: Config;
  readonly deployment: Deployment;
  readonly services: Readonly<Services>;
  /** The agent's stream to a responder; null on the embedded log, or without an agent. */
  readonly controlLink: ControlLink | null;
  /** Processes of this `up`, this process first. */
  readonly pids: readonly number[];
  /** The audit trail; null when it is the file of another process. */
  readonly audit: TrailReader | null;
  /** The records of what people do with this process. */
  readonly operators: OperatorRecords;
  /** Null when tracing is off. */
  readonly tracer: StepTracer | null;
  /** Rejects with the error that stopped a service; else resolves after the app was closed. */
  readonly done: Promise<void>;
}

export interface StartOptions {
  /** Ends a start that waits for brokers and other servers. */
  readonly signal?: AbortSignal;
  /** Called with what the start is waiting for, or null when it stops waiting. */
  readonly onWaiting?: (reason: string | null) => void;
  /** Client of the sensor's process. @default null: the collector runs in this process */
  readonly sensor?: SensorClient | null;
}

/** Starts the services that `config.services` names. When a start fails, stops the services that have started. */
export async function startApp(config: Config, log: AppLog, options: StartOptions = {}): Promise<App> {
  const { signal = new AbortController().signal, onWaiting = () => {}, sensor = null } = options;
  await using stack = new AsyncDisposableStack();
  const hasSensorProcess = sensor !== null;
  const deployment = stack.use(
    await openDeployment({ config, log, signal, onWaiting, hasSensorProcess, prove: sensor?.prove }),
  );
  const tracer = await openTracer(config, deployment, log);
  if (tracer !== null) stack.use(tracer);
  const pids = [process.pid, ...(sensor === null ? [] : [sensor.pid])];
  const operators = stack.use(openOperatorRecords(config, deployment, log));
  const deps: start.ServiceDeps = { config, log, deployment, operators, trace: tracer?.record, agentPids: pids };
  const services: Services = {};
  let controlLink: ControlLink | null = null;
  const ends: Promise<void>[] = [];
  if (deployment.fleet !== null) ends.push(deployment.fleet.revoked);
  const started = new Map<ServiceName, Service>();
  stack.defer(() => stopAll(started, deps));
  const isWanted = (name: ServiceName): boolean => config.services.includes(name);
  const keep = <S extends Service>(name: ServiceName, service: S): S => {
    started.set(name, service);
    if (service.done !== undefined) ends.push(service.done);
    return service;
  };
  // The order matters: the collector needs the detector's interest, and the responder the collector's control port.
  if (isWanted('registrar')) services.registrar = keep('registrar', await start.registrar(deps));
  if (isWanted('auditor')) services.auditor = keep('auditor', await start.auditor(deps));
  if (isWanted('enricher')) services.enricher = keep('enricher', await start.enricher(deps));
  const interest = new InterestForwarder();
  if (isWanted('detector')) services.detector = keep('detector', await start.detector(deps, interest));
  if (isWanted('collector')) {
    const collector =
      sensor === null ? await startLocalCollector(deps, interest) : await sensor.start(deployment, interest.current);
    services.collector = keep('collector', collector);
    await interest.connect(collector.control);
    controlLink = stack.use(await start.agentStream(deps, collector));
  }
  if (isWanted('responder'))
    services.responder = keep('responder', await start.responder(deps, services.collector?.control));
  if (isWanted('forwarder')) {
    const forwarder = await start.forwarder(deps);
    if (forwarder !== undefined) services.forwarder = keep('forwarder', forwarder);
  }
  await operators.note(startAction(config, VERSION, await contentOf(config, services)), starter());
  const audit = stack.use(await openTrail(config, services.auditor !== undefined));
  const collecting = collectGarbageWhenQuiet();
  stack.defer(() => clearInterval(collecting));
  // The registrar has no `done`: a process with nothing else runs until it is closed.
  const closed = Promise.withResolvers<void>();
  stack.defer(closed.resolve);
  const resources = stack.move();
  const done = Promise.all([...ends, closed.promise]).then(() => {});
  done.catch(() => {});
  const close = (): Promise<void> => resources.disposeAsync();
  return {
    config,
    deployment,
    services,
    controlLink,
    pids,
    audit,
    operators,
    tracer,
    done,
    [Symbol.asyncDispose]: close,
  };
}

function startLocalCollector(deps: start.ServiceDeps, interest: InterestForwarder): Promise<start.CollectorHandle> {
  prepareHost(deps.log, deps.config);
  return start.collector(deps, interest);
}

/** Returns the rules and policies in force, for the record of the start. */
async function contentOf({ responder }: Config, services: Services): Promise<Readonly<Record<string, unknown>>> {
  const rules = services.detector?.rules().options.sources.map(({ name, text }) => ({ name, text }));
  if (services.responder === undefined) return defined({ rules });
  const { loadPlaybookFiles, loadPolicyFiles } = await import('@ringfence/responder');
  const { policies } = loadPolicyFiles(responder.policies);
  return defined({ rules, policies, playbooks: loadPlaybookFiles(responder.playbooks).playbooks });
}

/** Returns null when the trail is the file of another process. Imports lazily: the auditor is large. */
async function openTrail({ auditor }: Config, runsAuditor: boolean): Promise<AuditReader | ClusterReader | null> {
  if (auditor.sink === 'sqlite' && !runsAuditor) return null;
  const { AuditReader, ClusterReader, clusterOf } = await import('@ringfence/auditor');
  const cluster = clusterOf(auditor);
  return cluster === null ? new AuditReader(auditor.path) : new ClusterReader(cluster);
}

/** Returns null when tracing is off. */
async function openTracer(
  { tracing, instance }: Config,
  { fleet }: Deployment,
  log: AppLog,
): Promise<StepTracer | null> {
  const { endpoint } = tracing;
  if (endpoint === '') return null;
  const name = fleet?.instance ?? (instance === 'auto' ? hostname() : instance);
  return startTracing({ endpoint, version: VERSION, instance: name, log });
}

/** `done` settles when the service ends; the registrar has none. */
type Service = { readonly done?: Promise<void>; close(): Promise<void> };

/**
 * Stops services in the direction of the flow. On the embedded log each one first catches up; in a fleet the remaining
 * members process its input. Input that is unfinished at the deadline is processed at the next start.
 */
async function stopAll(
  started: ReadonlyMap<ServiceName, Service>,
  { config, log, deployment }: start.ServiceDeps,
): Promise<void> {
  const deadline = performance.now() + config.shutdownDeadlineMs;
  for (const name of SERVICES) {
    const service = started.get(name);
    if (service === undefined) continue;
    try {
      if (deployment.fleet === null)
        await untilCaughtUp(deployment, name, Math.min(deadline, performance.now() + CATCH_UP_MS));
      if (!(await endsWithin(service.close(), Math.max(0, deadline - performance.now()))))
        log.error(
          { service: name },
          'a service did not stop in time: its unfinished input is processed again at the next start',
        );
    } catch (err) {
      log.error({ err, service: name }, 'a service did not stop cleanly');
    }
  }
}

/** Longest time that a stop waits for one service to catch up. */
const CATCH_UP_MS = 5000;

async function untilCaughtUp({ bus }: Deployment, service: ServiceName, deadline: number): Promise<void> {
  while (performance.now() < deadline && (await lagOf(bus, service)) > 0) await sleep(5);
}
