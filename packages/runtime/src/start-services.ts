import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Auditor } from '@ringfence/auditor';
import { defined, OperatorError, type Trace, VERSION } from '@ringfence/base';
import type { Collector, CollectorOptions } from '@ringfence/collector';
import { type Config, rulePaths, sensorObject } from '@ringfence/config';
import type { ControlLink, ControlPlane, ControlServer } from '@ringfence/control';
import type { Control } from '@ringfence/control/port';
import type { RedisOptions, SqliteOptions } from '@ringfence/coordination';
import type { DetectorService } from '@ringfence/detector';
import type { EnricherService } from '@ringfence/enricher';
import type { Forwarder, TrailSource } from '@ringfence/forwarder';
import type { Registrar } from '@ringfence/registrar';
import type { Responder } from '@ringfence/responder';
import type { AppLog } from '@ringfence/telemetry';
import type { Deployment, Fleet } from './deployment/deployment.ts';
import type { InterestForwarder } from './interest-forwarder.ts';
import { type OperatorRecords, reloadAction } from './operators.ts';
import { failpointOption } from './process/failpoint.ts';

// Services are imported lazily: each costs tens of MB and a second of CPU, and a fleet's process runs only one.

/** Dependencies of every service. */
export interface ServiceDeps {
  readonly config: Config;
  readonly log: AppLog;
  readonly deployment: Deployment;
  readonly operators: OperatorRecords;
  /** Undefined when tracing is off. */
  readonly trace: Trace | undefined;
  /** Processes of this `up`. */
  readonly agentPids: readonly number[];
}

/** The collector, which runs in this process or in the sensor's process. */
export interface CollectorHandle extends Collector {
  /** Updates `stats`. @default `stats` is always up to date */
  refresh?(): Promise<void>;
  /** Passes a framed Enrolment to the process that verifies commands. @default `responderKeys` of the fleet */
  takeEnrolment?(value: Uint8Array): void;
  /** Passes a framed Standing to that process, or null: the registrar has none. @default `standing` of the fleet */
  takeStanding?(value: Uint8Array | null): void;
}

export async function registrar({ config, log, deployment }: ServiceDeps): Promise<Registrar> {
  const { listen, names, certificateDays } = config.registrar;
  const authority = deployment.fleet?.authority;
  if (authority === undefined || authority === null)
    throw new OperatorError('the registrar needs a fleet: set bus.driver to kafka');
  const { startRegistrar } = await import('@ringfence/registrar');
  const { brokerAccess } = await import('./deployment/fleet/broker-access.ts');
  return startRegistrar({
    ...defined({ setAccess: brokerAccess(config) }),
    options: { host: listen.host, port: listen.port, names, certificateDays },
    bus: deployment.bus,
    ca: authority,
    log: child(log, 'registrar'),
  });
}

export async function auditor({ config, log, deployment, trace }: ServiceDeps): Promise<Auditor> {
  const { bus, hostId, serviceKey, trusted } = deployment;
  const { startAuditor } = await import('@ringfence/auditor');
  return startAuditor({
    options: config.auditor,
    bus,
    hostId,
    log: child(log, 'auditor'),
    ...traceOption(trace),
    ...(serviceKey === null ? {} : { key: serviceKey }),
    ...(trusted === null ? {} : { trusted }),
    ...failpointOption('auditor'),
  });
}

/** Returns undefined when no sink is set, as by default. */
export async function forwarder({ config, log, deployment }: ServiceDeps): Promise<Forwarder | undefined> {
  const { sinks } = config.forwarder;
  if (sinks.length === 0) return undefined;
  const { startForwarder } = await import('@ringfence/forwarder');
  return startForwarder({
    options: { sinks },
    bus: deployment.bus,
    trusted: deployment.trusted,
    trail: trailSource(config),
    log: child(log, 'forwarder'),
    ...failpointOption('forwarder'),
  });
}

/** Reads what retention has deleted from the bus; opened when it is needed, because it may be large or away. */
function trailSource({ auditor: settings }: Config): TrailSource {
  return {
    async *recordsOf(range) {
      const { AuditReader, ClusterReader, clusterOf } = await import('@ringfence/auditor');
      const cluster = clusterOf(settings);
      if (cluster === null) {
        using reader = new AuditReader(settings.path);
        yield* reader.recordsOf(range);
      } else {
        await using reader = new ClusterReader(cluster);
        yield* reader.recordsOf(range);
      }
    },
  };
}

/** How long a record may wait for the enrolment of its key, ms. In a fleet enrolments have a topic of their own. */
const enrolmentGraceMs = ({ fleet }: Deployment): number => (fleet === null ? 0 : 3000);

export async function enricher({ config, log, deployment }: ServiceDeps): Promise<EnricherService> {
  const { startEnricher } = await import('@ringfence/enricher');
  return startEnricher({
    options: {
      ...config.enricher,
      enrolmentGraceMs: enrolmentGraceMs(deployment),
      // On the embedded log the agent ends with the enricher, so a silent host can't be observed.
      silentAfterMs: deployment.fleet === null ? 0 : config.enricher.silentAfterMs,
    },
    bus: deployment.bus,
    enrolment: deployment.enrolment,
    key: deployment.serviceKey,
    log: child(log, 'enricher'),
    ...failpointOption('enricher'),
  });
}

export async function detector(
  { config, log, deployment, operators, trace, agentPids }: ServiceDeps,
  interest: InterestForwarder,
): Promise<DetectorService> {
  const { hostId, bootId, trusted, fleet } = deployment;
  const { startDetector } = await import('@ringfence/detector');
  return startDetector({
    options: {
      ...config.detector,
      keyGraceMs: enrolmentGraceMs(deployment),
      isAgent: (host, boot, pid) => agentPids.includes(pid) && host === hostId && boot === bootId,
    },
    rulePaths: rulePaths(config),
    bus: deployment.bus,
    key: deployment.serviceKey,
    ...(trusted === null ? {} : { trusted }),
    ...(fleet === null ? {} : { instance: fleet.instance }),
    onInterest: (next) => void interest.forward(next),
    onReload: (sources) => void operators.note(reloadAction(sources)),
    log: child(log, 'detector'),
    ...traceOption(trace),
    ...failpointOption('detector'),
  });
}

export async function collector(
  { config, log, deployment }: ServiceDeps,
  { current }: InterestForwarder,
): Promise<Collector> {
  const { bus, hostId, bootId, agentKey, responderKeys } = deployment;
  const { startCollector } = await import('@ringfence/collector');
  return startCollector({
    options: collectorOptions(config),
    bus,
    identity: { hostId, bootId, key: agentKey, agentVersion: VERSION },
    trustedKeys: responderKeys,
    log: child(log, 'collector'),
    // Passed at the start, not only by `connect`: the events until then are filtered by it, too.
    ...defined({ interest: current }),
    ...failpointOption('collector'),
  });
}

export function collectorOptions({ sensor, collector: settings, stateDir, runDir }: Config): CollectorOptions {
  return {
    sensorObject: sensorObject(),
    stateDir,
    pinPath: sensor.pinPath,
    ringSecurityBytes: sensor.ringSecurityBytes,
    ringBulkBytes: sensor.ringBulkBytes,
    pollIntervalMs: sensor.pollIntervalMs,
    tickMs: settings.tickMs,
    batchMaxBytes: settings.batchMaxBytes,
    opens: sensor.opens,
    watchedPaths: sensor.watchedPaths,
    audit: sensor.audit,
    environment: sensor.environment,
    spoolPath: settings.spool.path,
    spoolMaxBytes: settings.spool.maxBytes,
    containerFiles: [join(runDir, 'containers.d')],
    killsPerMinute: settings.killsPerMinute,
    hostRoot: settings.hostRoot,
    protected: settings.protected,
    actions: settings.actions,
    tamperingSyslog: settings.tampering.syslog,
    dockerRoots: settings.dockerRoots,
    integrity: settings.integrity,
    hash: settings.hash,
    logs: { ...settings.logs, alerts: settings.alerts.enabled ? settings.alerts : undefined },
    probes: settings.probes,
    sharePerSecond: sensor.share.perSecond,
    shareBurst: sensor.share.burst,
    shareBytesPerSecond: sensor.share.bytesPerSecond,
    keepPinned: sensor.keepPinned,
  };
}

/** Connects the agent to a responder. Returns null on the embedded log, where commands are function calls. */
export async function agentStream(
  { config, log, deployment }: Pick<ServiceDeps, 'config' | 'log' | 'deployment'>,
  { control, takeEnrolment, takeStanding }: Pick<CollectorHandle, 'control' | 'takeEnrolment' | 'takeStanding'>,
): Promise<ControlLink | null> {
  const { fleet, bootId } = deployment;
  const { endpoints } = config.control;
  if (fleet === null) return null;
  if (endpoints.length === 0) {
    log.warn({}, 'control.endpoints is empty: this agent receives no commands and no interest');
    return null;
  }
  const { tls, responderKeys, standing, fetchStanding } = fleet;
  if (fetchStanding === undefined)
    log.warn({}, 'identity.registrar is empty: this agent gets the list of services in force only from responders');
  if (takeStanding !== undefined)
    standing.onChange(() => takeStanding(standing.state === 'unsupported' ? null : standing.bytes));
  const trusted = takeEnrolment === undefined ? responderKeys : { add: takeEnrolment };
  const { connectControl } = await import('@ringfence/control');
  return connectControl({
    endpoints,
    tls,
    control,
    trusted,
    standing,
    ...defined({ fetchStanding }),
    bootId,
    agentVersion: VERSION,
    log: child(log, 'control'),
  });
}

/** @param control of the collector in this process, if any */
export async function responder(deps: ServiceDeps, control: Control | undefined): Promise<Responder> {
  const { config, log, deployment, trace } = deps;
  const { loadPlaybookFiles, loadPolicyFiles, startResponder } = await import('@ringfence/responder');
  const { renderProblem } = await import('@ringfence/checked-yaml');
  const { openCoordination } = await import('@ringfence/coordination');
  const loaded = loadPolicyFiles(config.responder.policies);
  const playbooks = loadPlaybookFiles(config.responder.playbooks);
  const problems = [...loaded.problems, ...playbooks.problems];
  if (problems.length > 0) throw new OperatorError(problems.map(renderProblem).join('\n'));
  await using stack = new AsyncDisposableStack();
  const coordination = stack.use(await openCoordination(coordinationOptions(deps)));
  const started = Promise.withResolvers<Responder>();
  // No agent may have sent a result when the start fails, so that the rejection would be unhandled.
  started.promise.catch(() => {});
  const onResult = async (result: Uint8Array): Promise<void> => (await started.promise).takeResult(result);
  const { fleet, trusted } = deployment;
  const plane = fleet === null ? await localControlPlane(control) : stack.use(await controlServer(deps, onResult));
  const fleetOptions = fleet === null ? {} : { instance: fleet.instance, followInterest: true };
  const keys = trusted === null ? {} : { trusted: trusted('detector'), responders: trusted('responder') };
  try {
    const responder = await startResponder({
      options: config.responder,
      bus: deployment.bus,
      key: deployment.commandKey,
      policies: loaded.policies,
      playbooks: playbooks.playbooks,
      control: plane,
      coordination,
      log: child(log, 'responder'),
      ...traceOption(trace),
      ...fleetOptions,
      ...keys,
      ...failpointOption('responder'),
    });
    started.resolve(responder);
    const own = config.responder.playbooks.filter((path) => path !== 'builtin');
    if (own.length > 0) {
      const { followPlaybooks } = await import('./follow-playbooks.ts');
      stack.use(followPlaybooks(config.responder.playbooks, responder, child(log, 'responder')));
    }
    return closeWithResources(responder, stack.move());
  } catch (error) {
    started.reject(error);
    throw error;
  }
}

/** Closes the control streams and the coordination store after the responder, which uses them until it has closed. */
function closeWithResources(responder: Responder, resources: AsyncDisposable): Responder {
  const close = async (): Promise<void> => {
    await using _ = resources;
    await responder.close();
  };
  return { ...responder, close, [Symbol.asyncDispose]: close };
}

async function localControlPlane(control: Control | undefined): Promise<ControlPlane | null> {
  if (control === undefined) return null;
  return (await import('@ringfence/control/local')).localControlPlane(control);
}

async function controlServer(
  { config, log, deployment }: ServiceDeps,
  onResult: (result: Uint8Array) => Promise<void>,
): Promise<ControlServer> {
  const { host, port } = config.control.listen;
  const { tls, enrolments, standing, fetchStanding } = deployment.fleet as Fleet;
  if (enrolments === null) throw new TypeError('a responder needs the enrolments');
  if (fetchStanding === undefined)
    log.error({}, 'identity.registrar is empty: this responder sends agents no list of services in force');
  const { serveControl } = await import('@ringfence/control');
  return serveControl({
    host,
    port,
    tls,
    enrolments,
    standing,
    onResult: (_, result) => onResult(result),
    log: child(log, 'control'),
  });
}

function coordinationOptions({ config, log }: ServiceDeps): RedisOptions | SqliteOptions {
  const { url, user, password, ca, cert, key, prefix, timeoutMs } = config.redis;
  if (url === '') return { path: join(config.stateDir, 'coordination.db'), log: child(log, 'coordination') };
  const pem = (path: string): string => (path === '' ? '' : readFileSync(path, 'utf8'));
  const settings = { user, password, ca: pem(ca), cert: pem(cert), key: pem(key) };
  const credentials = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ''));
  return { url, prefix, deadlineMs: timeoutMs, log: child(log, 'coordination'), ...credentials };
}

const traceOption = (trace: Trace | undefined): { trace?: Trace } => (trace === undefined ? {} : { trace });

const child = (log: AppLog, service: string): AppLog => log.child({ service });
