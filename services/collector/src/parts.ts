import { join } from 'node:path';
import type { Barrier } from '@ringfence/barrier';
import { Tallies } from '@ringfence/base';
import type { Control } from '@ringfence/control/port';
import { ContainerSource, ExecHashes, hostSources, integritySource } from '@ringfence/host-facts';
import { bootMicros, createGuard, type EnrichmentSource, guardSource, type OnSourceError } from '@ringfence/host-kit';
import { type ActionRunner, protection } from '@ringfence/response';
import {
  type CustomProbes,
  LaneReader,
  Merge,
  type OnCgroup,
  type OnExec,
  type Sensor,
  SkippedCalls,
  ThrottledSource,
} from '@ringfence/sensor';
import { parseSyslogAddress, SyslogSender } from '@ringfence/syslog';
import { LANE } from '@ringfence/wire';
import { FlowAccount } from './account.ts';
import type { CompiledOptions } from './config.ts';
import { createActions, hostProcesses } from './control/actions.ts';
import { createAgentControl } from './control/control.ts';
import { Batch } from './delivery/batch.ts';
import type { Outbox } from './delivery/outbox.ts';
import type { CollectorDeps } from './deps.ts';
import { FileWatch } from './file-watch.ts';
import { InterestFilter } from './interest-filter.ts';
import { identifyAgent } from './lifecycle/identify.ts';
import { Pacer } from './lifecycle/pacer.ts';
import { Statistics } from './metrics.ts';
import type { PipelineParts } from './pipeline.ts';
import { AgentEvents, type NextSequence } from './steps/agent-events.ts';
import type { SnapshotParts } from './steps/snapshot.ts';
import { TAMPERING, TamperingReporter } from './steps/tampering.ts';
import { Ticker } from './steps/ticker.ts';

export interface AgentDeps extends Omit<CollectorDeps, 'options' | 'bus'> {
  readonly options: CompiledOptions;
  readonly sensor: Sensor;
  readonly outbox: Outbox;
  /** Root of the cgroup v2 hierarchy; null: there is none */
  readonly cgroupRoot: string | null;
}

export interface AgentParts extends Disposable {
  readonly sensor: Sensor;
  readonly customProbes: CustomProbes;
  readonly pipeline: PipelineParts;
  readonly pacer: Pacer;
  readonly interest: InterestFilter;
  readonly files: FileWatch;
  readonly control: Control;
  readonly actions: ActionRunner;
  readonly statistics: Statistics;
  readonly snapshot: SnapshotParts;
  readonly tampering: TamperingReporter;
}

/** Creates the parts of an agent around a loaded sensor. Attaches no hook and reads nothing yet. */
export function wireAgent(deps: AgentDeps): AgentParts {
  const { options, log, sensor } = deps;
  const { rings, filter, hooks } = sensor;
  using stack = new DisposableStack();
  const pacer = new Pacer([rings.security, rings.bulk], filter.control, options.pollIntervalMs);
  const files = createFileWatch(deps);
  const interest = new InterestFilter(options, { ...filter, files, onDemand: hooks.onDemand }, log);
  const commands = new Tallies();
  const facts = wireHostFacts(deps, files, pacer, stack);
  const { customProbes } = facts;
  const syslog = openSyslog(deps, stack);
  const { runner: actions, barrier } = stack.use(createActions(deps));
  const { pipeline, statistics, snapshot } = wirePipeline(deps, facts, { files, syslog, commands, barrier });
  const onMoved = (): void => identifyAgent(sensor, deps.partner, log);
  const tampering = new TamperingReporter({ tampering: sensor.tampering, ...snapshot, onMoved, syslog, log });
  const control = wireControl(deps, interest, commands, actions);
  const resources = stack.move();
  return {
    ...{ sensor, customProbes, pipeline, pacer, interest, files, control, actions, statistics, snapshot, tampering },
    [Symbol.dispose]: () => resources.dispose(),
  };
}

interface HostFacts {
  readonly containers: ContainerSource;
  readonly hashes: ExecHashes;
  readonly throttled: ThrottledSource;
  readonly skipped: SkippedCalls;
  readonly customProbes: CustomProbes;
  readonly sources: readonly EnrichmentSource[];
}

function wireHostFacts(deps: AgentDeps, files: FileWatch, pacer: Pacer, stack: DisposableStack): HostFacts {
  const { options, log, sensor } = deps;
  const onSourceError: OnSourceError = (source, err) =>
    log.warn({ source, err }, 'a source of host facts cannot be read: its earlier facts stay in use');
  const customProbes = sensor.customProbes(log);
  const containers = createContainerSource(deps, onSourceError);
  const hashes = new ExecHashes({ ...options.hash, log, onAnswer: () => pacer.wake() });
  stack.defer(() => void hashes.close());
  const throttled = new ThrottledSource({
    map: sensor.throttled,
    total: () => sensor.counters.lost,
    onCgroup: (cgroup) => containers.onEvent(Number(cgroup & 0xffff_ffffn), Number(cgroup >> 32n), bootMicros(), false),
    pathOf: (cgroup) => containers.pathOf(cgroup),
  });
  const skipped = new SkippedCalls(options.pinPath, log);
  const sources = [
    ...hostSources({ hostRoot: options.hostRoot, isHashing: options.hash.enabled }, log),
    containers,
    createIntegritySource(deps),
    throttled,
    skipped,
    files,
    onEachTick('hooks', () => retryHooks(deps)),
    onEachTick('probes', () => customProbes.tick()),
  ].map((source) => guardSource(source, onSourceError));
  stack.defer(() => {
    for (const source of sources) source.close();
  });
  return { containers, hashes, throttled, skipped, customProbes, sources };
}

const onEachTick = (name: string, tick: () => void): EnrichmentSource => ({ name, start() {}, tick, close() {} });

const UNREADABLE_RUNTIMES =
  'the files of container runtimes can’t be read: no alert names containers that no runtime knows (collector.hostRoot)';

function createContainerSource({ options, log, sensor }: AgentDeps, onSourceError: OnSourceError): ContainerSource {
  const { containerFiles, hostRoot, dockerRoots } = options;
  return new ContainerSource({
    fileDirectories: containerFiles,
    onUnsafe: (directory) =>
      log.warn({ directory }, 'the directory of container files is ignored: not only its owner can write to it'),
    onUnreadable: () => log.warn({ hostRoot }, UNREADABLE_RUNTIMES),
    roots: { root: hostRoot, dockerRoots },
    creationOf: (id) => sensor.cgroups.creationOf(id),
    namespacesOf: (pid) => sensor.process(pid)?.namespaces ?? null,
    onScope: (id, isContainer) => sensor.cgroups.setScope(id, isContainer),
    guard: createGuard('containers', onSourceError),
  });
}

function createFileWatch({ options, sensor, log }: AgentDeps): FileWatch {
  const { hostRoot, stateDir } = options;
  return new FileWatch({ hostRoot, stateDir, table: sensor.filter.files, identify: () => sensor.identifyFiles(), log });
}

function createIntegritySource({ options, identity, log }: AgentDeps): EnrichmentSource {
  const { sensorObject, pinPath, hostRoot: root, stateDir, integrity } = options;
  return integritySource({ sensorObject, pinPath, root, bootId: identity.bootId, stateDir, ...integrity, log });
}

function retryHooks({ sensor, log }: AgentDeps): void {
  const hooks = sensor.hooks.onDemand.retryDue(performance.now());
  if (hooks.length > 0) log.info({ hooks }, 'hooks that were missing are in place');
}

interface WiredPipeline {
  readonly pipeline: PipelineParts;
  readonly statistics: Statistics;
  readonly snapshot: SnapshotParts;
}

/** Sources of the statistics besides the pipeline and the facts of the host */
interface Counted {
  readonly barrier: Barrier | null;
  readonly files: FileWatch;
  readonly syslog: SyslogSender | null;
  readonly commands: Tallies;
}

function openSyslog({ options, identity, log }: AgentDeps, stack: DisposableStack): SyslogSender | null {
  const address = parseSyslogAddress(options.tamperingSyslog);
  return address === null
    ? null
    : stack.use(new SyslogSender(address, { kind: TAMPERING, hostId: identity.hostId, log }));
}

function wirePipeline(deps: AgentDeps, facts: HostFacts, counted: Counted): WiredPipeline {
  const { options, identity, sensor, outbox, failpoint } = deps;
  const { containers, hashes, throttled, skipped, customProbes, sources } = facts;
  const { run, rings } = sensor;
  const { control, interests } = sensor.filter;
  const next: NextSequence = (lane) => run.nextSequence(lane);
  const versionOf = (generation: number): number => interests.versionOf(generation);
  const batch = new Batch({ ...identity, run: run.id }, identity.key, options.batchMaxBytes, versionOf);
  const agentEvents = new AgentEvents(batch, next);
  const seenCgroup: OnCgroup = (low, high, ktime, exec) => containers.onEvent(low, high, ktime, exec);
  const seenExec: OnExec = (source, at, ktime) => {
    containers.onExec(source, at, ktime);
    hashes.onExec(source, at);
  };
  const security = new LaneReader(LANE.security, rings.security);
  const bulk = new LaneReader(LANE.bulk, rings.bulk);
  const merge = new Merge(batch, seenCgroup, seenExec);
  const flow = new FlowAccount({ readers: [security, bulk], run, outbox });
  const statistics = new Statistics({
    ...{ sensor, flow, containers, throttled, skipped, customProbes, ...counted },
    pipeline: { security, bulk, merge, outbox, hashes },
  });
  const pipeline: PipelineParts = {
    ...{ security, bulk, merge, batch, agentEvents, sources, hashes, outbox },
    ticker: new Ticker(options.tickMs, batch, agentEvents, () => statistics.lanes()),
    generation: () => control.generation,
    failpoint: failpoint ?? (() => undefined),
    onReleased: () => flow.onReleased(),
  };
  const seenRunning: OnExec = (source, at) => hashes.onExec(source, at);
  return { pipeline, statistics, snapshot: { batch, next, seenCgroup, seenExec: seenRunning } };
}

function wireControl(deps: AgentDeps, interest: InterestFilter, commands: Tallies, actions: ActionRunner): Control {
  const { options, identity, trustedKeys, log, sensor } = deps;
  const { hostId, bootId } = identity;
  const { stateDir, killsPerMinute, hostRoot } = options;
  const { find, list } = hostProcesses(sensor);
  return createAgentControl({
    ...{ hostId, bootId, trustedKeys, stateDir, killsPerMinute, find, list, actions, log },
    isProtected: protection(find, { root: join(hostRoot, '/'), added: options.protected }),
    setInterest: (next) => interest.apply(next),
    onAnswer: (outcome, reason) => commands.add(outcome === 'refused' ? `refused/${reason}` : outcome),
  });
}
