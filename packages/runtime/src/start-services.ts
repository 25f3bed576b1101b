import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Auditor } from '@ringfence/auditor';
import type { Trace } from '@ringfence/base';
import { defined, OperatorError, VERSION } from '@ringfence/base';
import type { Collector, CollectorOptions } from '@ringfence/collector';
import type { Config, ServiceName } from '@ringfence/config';
import { rulePaths, sensorObject } from '@ringfence/config';
import type { ControlLink, ControlPlane, ControlServer } from '@ringfence/control';
import type { Control } from '@ringfence/control/port';
import type { RedisOptions, SqliteOptions } from '@ringfence/coordination';
import type { DetectorService } from '@ringfence/detector';
import type { EnricherService } from '@ringfence/enricher';
import type { Registrar } from '@ringfence/registrar';
import type { Responder } from '@ringfence/responder';
import type { AppLog } from './app.ts';
import type { Site } from './deployment/deployment.ts';
import type { Fleet } from './deployment/fleet.ts';
import { failpointOf } from './failpoint.ts';
import type { InterestLink } from './interest.ts';

// Each service is loaded when it is started: a process of a fleet needs one of them, and each costs tens of MB and a second of CPU.

/** What every start needs. */
export interface Wiring {
  readonly config: Config;
  readonly log: AppLog;
  readonly site: Site;
  /** undefined: nobody traces */
  readonly trace: Trace | undefined;
  /** the processes of this `up` */
  readonly agentPids: readonly number[];
}

/** The collector, in this process or in one of its own. */
export interface Watcher extends Collector {
  /** brings `stats` up to date. @default they always are */
  refresh?(): Promise<void>;
  /** A framed Enrolment, for whoever judges commands. @default the fleet's `learnt` */
  takeEnrolment?(value: Uint8Array): void;
}

export async function registrar({ config, log, site }: Wiring): Promise<Registrar> {
  const { listen, names, certificateDays } = config.registrar;
  const authority = site.fleet?.authority;
  if (authority === undefined || authority === null)
    throw new OperatorError('the registrar enrols into a fleet: set bus.driver to kafka');
  const { startRegistrar } = await import('@ringfence/registrar');
  return startRegistrar({
    options: { host: listen.host, port: listen.port, names, certificateDays },
    bus: site.bus,
    ca: authority,
    log: child(log, 'registrar'),
  });
}

export async function auditor({ config, log, site, trace }: Wiring): Promise<Auditor> {
  const { startAuditor } = await import('@ringfence/auditor');
  return startAuditor({
    options: config.auditor,
    bus: site.bus,
    log: child(log, 'auditor'),
    ...traced(trace),
    ...(site.serviceKey === null ? {} : { key: site.serviceKey }),
    ...(site.trusted === null ? {} : { trusted: site.trusted }),
    ...failpoint('auditor'),
  });
}

/** How long an enrolment may be on its way, ms: in a fleet it comes by a topic of its own. */
const graceOf = ({ fleet }: Wiring['site']): number => (fleet === null ? 0 : 3000);

export async function enricher({ config, log, site }: Wiring): Promise<EnricherService> {
  const { startEnricher } = await import('@ringfence/enricher');
  return startEnricher({
    options: {
      ...config.enricher,
      enrolmentGraceMs: graceOf(site),
      // One process can't outlive its own agent.
      silentAfterMs: site.fleet === null ? 0 : config.enricher.silentAfterMs,
    },
    bus: site.bus,
    enrolment: site.enrolment,
    key: site.serviceKey,
    log: child(log, 'enricher'),
    ...failpoint('enricher'),
  });
}

export async function detector(
  { config, log, site, trace, agentPids }: Wiring,
  interest: InterestLink,
): Promise<DetectorService> {
  const { hostId, bootId, trusted, fleet } = site;
  const { startDetector } = await import('@ringfence/detector');
  return startDetector({
    options: {
      ...config.detector,
      keyGraceMs: graceOf(site),
      isAgent: (host, boot, pid) => agentPids.includes(pid) && host === hostId && boot === bootId,
    },
    rulePaths: rulePaths(config),
    bus: site.bus,
    key: site.serviceKey,
    ...(trusted === null ? {} : { trusted }),
    ...(fleet === null ? {} : { instance: fleet.instance }),
    onInterest: (next) => void interest.set(next),
    log: child(log, 'detector'),
    ...traced(trace),
    ...failpoint('detector'),
  });
}

export async function collector({ config, log, site }: Wiring, { current }: InterestLink): Promise<Collector> {
  const { hostId, bootId, agentKey } = site;
  const { startCollector } = await import('@ringfence/collector');
  return startCollector({
    options: collectorOptions(config),
    bus: site.bus,
    identity: { hostId, bootId, key: agentKey, agentVersion: VERSION },
    trustedKeys: site.commanders,
    log: child(log, 'collector'),
    // from the first event on: what is read between the start and `connect` counts too
    ...defined({ interest: current }),
    ...failpoint('collector'),
  });
}

export function collectorOptions({ sensor, collector: own, stateDir, runDir }: Config): CollectorOptions {
  return {
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
    audit: sensor.audit,
    spoolPath: own.spool.path,
    spoolMaxBytes: own.spool.maxBytes,
    containerFiles: [join(runDir, 'containers.d')],
    killsPerMinute: own.killsPerMinute,
    hostRoot: own.hostRoot,
    dockerRoots: own.dockerRoots,
    integrity: own.integrity,
    hash: own.hash,
    logs: own.logs,
    probes: own.probes,
    sharePerSecond: sensor.share.perSecond,
    shareBurst: sensor.share.burst,
    keepPinned: sensor.keepPinned,
  };
}

/** The agent's stream to a responder; null: in one process it is a call. */
export async function agentStream(
  { config, log, site }: Pick<Wiring, 'config' | 'log' | 'site'>,
  { control, takeEnrolment }: Pick<Watcher, 'control' | 'takeEnrolment'>,
): Promise<ControlLink | null> {
  const { fleet, bootId } = site;
  const { endpoints } = config.control;
  if (fleet === null) return null;
  if (endpoints.length === 0) {
    log.warn({}, 'control.endpoints is empty: this agent gets no commands and no interest');
    return null;
  }
  const { tls, learnt } = fleet;
  const trusted = takeEnrolment === undefined ? learnt : { add: takeEnrolment };
  const { connectControl } = await import('@ringfence/control');
  return connectControl({
    endpoints,
    tls,
    control,
    trusted,
    bootId,
    agentVersion: VERSION,
    log: child(log, 'control'),
  });
}

export async function responder(wiring: Wiring, control: Control | undefined): Promise<Responder> {
  const { config, log, site, trace } = wiring;
  const { loadPolicyFiles, renderProblem, startResponder } = await import('@ringfence/responder');
  const { openCoordination } = await import('@ringfence/coordination');
  const loaded = loadPolicyFiles(config.responder.policies);
  if (loaded.problems.length > 0) throw new OperatorError(loaded.problems.map(renderProblem).join('\n'));
  await using stack = new AsyncDisposableStack();
  const coordination = stack.use(await openCoordination(coordinationOf(wiring)));
  const started = Promise.withResolvers<Responder>();
  // A start that fails has no results to wait for.
  started.promise.catch(() => {});
  const onResult = async (result: Uint8Array): Promise<void> => (await started.promise).takeResult(result);
  const plane = site.fleet === null ? await localPlane(control) : stack.use(await agents(wiring, onResult));
  const { fleet, trusted } = site;
  const inFleet = fleet === null ? {} : { instance: fleet.instance, followInterest: true };
  const known = trusted === null ? {} : { trusted: trusted('detector'), responders: trusted('responder') };
  try {
    const responder = await startResponder({
      options: config.responder,
      bus: site.bus,
      key: site.commandKey,
      policies: loaded.policies,
      control: plane,
      coordination,
      log: child(log, 'responder'),
      ...traced(trace),
      ...inFleet,
      ...known,
      ...failpoint('responder'),
    });
    started.resolve(responder);
    return closingWith(responder, stack.move());
  } catch (error) {
    started.reject(error);
    throw error;
  }
}

/** Streams and what is shared go after the last answer. */
function closingWith(responder: Responder, resources: AsyncDisposable): Responder {
  const close = async (): Promise<void> => {
    await using _ = resources;
    await responder.close();
  };
  return { ...responder, close, [Symbol.asyncDispose]: close };
}

async function localPlane(control: Control | undefined): Promise<ControlPlane | null> {
  if (control === undefined) return null;
  const { localControlPlane } = await import('@ringfence/control/local');
  return localControlPlane(control);
}

async function agents(
  { config, log, site }: Wiring,
  onResult: (result: Uint8Array) => Promise<void>,
): Promise<ControlServer> {
  const { host, port } = config.control.listen;
  const { tls, enrolments } = site.fleet as Fleet;
  if (enrolments === null) throw new TypeError('a responder reads the enrolments');
  const { serveControl } = await import('@ringfence/control');
  return serveControl({
    host,
    port,
    tls,
    enrolments,
    onResult: (_, result) => onResult(result),
    log: child(log, 'control'),
  });
}

function coordinationOf({ config, log }: Wiring): RedisOptions | SqliteOptions {
  const { url, user, password, ca, cert, key, prefix, timeoutMs } = config.redis;
  if (url === '') return { path: join(config.stateDir, 'coordination.db'), log: child(log, 'coordination') };
  const pem = (path: string): string => (path === '' ? '' : readFileSync(path, 'utf8'));
  const given = { user, password, ca: pem(ca), cert: pem(cert), key: pem(key) };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  return { url, prefix, deadlineMs: timeoutMs, log: child(log, 'coordination'), ...set };
}

const traced = (trace: Trace | undefined): { trace?: Trace } => (trace === undefined ? {} : { trace });

const child = (log: AppLog, service: string): AppLog => log.child({ service });

export function failpoint(service: ServiceName): {
  failpoint?: (point: 'before-effect' | 'before-commit' | 'after-commit') => void;
} {
  const point = failpointOf(service);
  return point === undefined ? {} : { failpoint: point };
}
