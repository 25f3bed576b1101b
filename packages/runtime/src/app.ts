import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Auditor, AuditReader, ClusterReader, TrailReader } from '@ringfence/auditor';
import { endsWithin, VERSION } from '@ringfence/base';
import { type Config, SERVICES, type ServiceName } from '@ringfence/config';
import type { DetectorService } from '@ringfence/detector';
import type { EnricherService } from '@ringfence/enricher';
import type { Registrar } from '@ringfence/registrar';
import type { Responder } from '@ringfence/responder';
import { type createLogger, type StepTracer, startTracing } from '@ringfence/telemetry';
import { openSite, type Site } from './deployment/deployment.ts';
import { collectGarbageWhenQuiet } from './heap.ts';
import { prepareHost } from './host/prepare-host.ts';
import { InterestLink } from './interest.ts';
import type { SensorLink } from './split/sensor-link.ts';
import * as start from './start-services.ts';
import { lagOf } from './status/groups.ts';

/** The services that run in this process; those that run elsewhere are undefined. */
export interface Services {
  collector?: start.Watcher;
  enricher?: EnricherService;
  detector?: DetectorService;
  responder?: Responder;
  auditor?: Auditor;
  registrar?: Registrar;
}

/** `ringfence up` in a process: the chosen services, on one bus or as a part of a fleet. */
export interface App extends AsyncDisposable {
  readonly config: Config;
  readonly site: Site;
  readonly services: Readonly<Services>;
  /** of its processes, this one first */
  readonly pids: readonly number[];
  /** the audit trail; null when it is a file of another process */
  readonly audit: TrailReader | null;
  /** null: nobody traces */
  readonly tracer: StepTracer | null;
  /** Rejects with what stopped a service; else resolves after the app was closed. */
  readonly done: Promise<void>;
}

export type AppLog = ReturnType<typeof createLogger>;

export interface StartOptions {
  /** ends a start that waits for brokers and other servers */
  readonly signal?: AbortSignal;
  /** told what the start waits for, in plain words; null: nothing any more */
  readonly onWaiting?: (what: string | null) => void;
  /** the process that has the capabilities; null: there is none, this one does all */
  readonly sensor?: SensorLink | null;
}

/** Starts what `config.services` names, in the order in which the data would be waited for. What was started is stopped again when one fails. */
export async function startApp(config: Config, log: AppLog, options: StartOptions = {}): Promise<App> {
  const { signal = new AbortController().signal, onWaiting = () => {}, sensor = null } = options;
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await openSite({ config, log, signal, onWaiting }));
  const tracer = await tracerOf(config, site, log);
  if (tracer !== null) stack.use(tracer);
  const pids = [process.pid, ...(sensor === null ? [] : [sensor.pid])];
  const wiring: start.Wiring = { config, log, site, trace: tracer?.record, agentPids: pids };
  const services: Services = {};
  const ends: Promise<void>[] = [];
  const started = new Map<ServiceName, Service>();
  stack.defer(() => stopAll(started, wiring));
  const wants = (name: ServiceName): boolean => config.services.includes(name);
  const keep = <S extends Service>(name: ServiceName, service: S): S => {
    started.set(name, service);
    if (service.done !== undefined) ends.push(service.done);
    return service;
  };
  if (wants('registrar')) services.registrar = keep('registrar', await start.registrar(wiring));
  if (wants('auditor')) services.auditor = keep('auditor', await start.auditor(wiring));
  if (wants('enricher')) services.enricher = keep('enricher', await start.enricher(wiring));
  const interest = new InterestLink();
  if (wants('detector')) services.detector = keep('detector', await start.detector(wiring, interest));
  if (wants('collector')) {
    const collector = sensor === null ? await here(wiring, interest) : await sensor.start(site, interest.current);
    services.collector = keep('collector', collector);
    await interest.connect(collector.control);
    stack.use(await start.agentStream(wiring, collector));
  }
  if (wants('responder'))
    services.responder = keep('responder', await start.responder(wiring, services.collector?.control));
  const audit = stack.use(await openTrail(config, services.auditor !== undefined));
  const collecting = collectGarbageWhenQuiet();
  stack.defer(() => clearInterval(collecting));
  // The registrar has no end of its own: a process of it alone goes on until it is closed.
  const closed = Promise.withResolvers<void>();
  stack.defer(closed.resolve);
  const resources = stack.move();
  const done = Promise.all([...ends, closed.promise]).then(() => {});
  done.catch(() => {});
  return { config, site, services, pids, audit, tracer, done, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

function here(wiring: start.Wiring, interest: InterestLink): Promise<start.Watcher> {
  prepareHost(wiring.log, wiring.config);
  return start.collector(wiring, interest);
}

/** null: it is a file of another process. Loaded only then: the auditor is large. */
async function openTrail({ auditor }: Config, isHere: boolean): Promise<AuditReader | ClusterReader | null> {
  if (auditor.sink === 'sqlite' && !isHere) return null;
  const { AuditReader, ClusterReader, clusterOf } = await import('@ringfence/auditor');
  const cluster = clusterOf(auditor);
  return cluster === null ? new AuditReader(auditor.path) : new ClusterReader(cluster);
}

/** null: nobody traces. */
async function tracerOf({ tracing, instance }: Config, { fleet }: Site, log: AppLog): Promise<StepTracer | null> {
  const { endpoint } = tracing;
  if (endpoint === '') return null;
  const name = fleet?.instance ?? (instance === 'auto' ? hostname() : instance);
  return startTracing({ endpoint, version: VERSION, instance: name, log });
}

/** A service that has no end of its own, as the registrar, tells of none. */
type Service = { readonly done?: Promise<void>; close(): Promise<void> };

/**
 * Services stop in the direction of the flow. In one process each first catches up; in a fleet others go on with what is left. What is not finished by
 * the deadline comes at the next start.
 */
async function stopAll(started: ReadonlyMap<ServiceName, Service>, { config, log, site }: start.Wiring): Promise<void> {
  const until = performance.now() + config.shutdownDeadlineMs;
  for (const name of SERVICES) {
    const service = started.get(name);
    if (service === undefined) continue;
    try {
      if (site.fleet === null) await caughtUp(site, name, Math.min(until, performance.now() + CATCH_UP_MS));
      if (!(await endsWithin(service.close(), Math.max(0, until - performance.now()))))
        log.error(
          { service: name },
          'a service did not stop in time: what it had in hand comes again at the next start',
        );
    } catch (err) {
      log.error({ err, service: name }, 'a service did not stop cleanly');
    }
  }
}

const CATCH_UP_MS = 5000;

async function caughtUp({ bus }: Site, service: ServiceName, until: number): Promise<void> {
  while (performance.now() < until && (await lagOf(bus, service)) > 0) await sleep(5);
}
