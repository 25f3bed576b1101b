import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tallies } from '@ringfence/base';
import { ContainerSource, ExecHashes, hostSources, integritySource } from '@ringfence/host-facts';
import {
  bootMicros,
  createGuard,
  type EnrichmentSource,
  guardSource,
  type OnSourceError,
  releaseFreeMemory,
  wallOffset,
} from '@ringfence/host-kit';
import type { CustomProbes, ProcessFacts, Sensor, Shares } from '@ringfence/sensor';
import {
  LaneReader,
  Merge,
  markSensor,
  type OnCgroup,
  type OnExec,
  SkippedCalls,
  ThrottledSource,
  unmarkSensor,
} from '@ringfence/sensor';
import { LANE, u64ToHex } from '@ringfence/wire';
import { FlowAccount } from './account.ts';
import type { CompiledOptions } from './config.ts';
import { AgentControl } from './control/control.ts';
import { ExecutedCommands } from './control/executed.ts';
import { protection } from './control/protected.ts';
import { RateLimit } from './control/rate-limit.ts';
import { CollectorError } from './errors.ts';
import { InterestFilter } from './interest-filter.ts';
import type { CollectorDeps } from './main.ts';
import type { CollectorStats } from './metrics.ts';
import { type Cycle, type PipelineParts, runCycle } from './pipeline.ts';
import type { Spool } from './spool/spool.ts';
import { Statistics } from './statistics.ts';
import { Batch } from './steps/batch.ts';
import type { Delivery } from './steps/deliver.ts';
import { type NextSequence, OwnEvents } from './steps/own-events.ts';
import { Pacer } from './steps/pacer.ts';
import { writeSnapshot } from './steps/snapshot.ts';
import { writeTampering } from './steps/tampering.ts';
import { Ticker } from './steps/ticker.ts';

export interface AgentDeps extends Omit<CollectorDeps, 'options'> {
  readonly options: CompiledOptions;
  readonly spool: Spool;
  readonly delivery: Delivery;
  readonly sensor: Sensor;
  /** what was done before this start, and the sensor can't tell itself (struct rf_tampering_entry each) */
  readonly past: readonly Buffer[];
}

/** No record takes long to be written: more looks than this would be at a ring that is broken. */
const LAST_LOOKS = 1000;
/** a millisecond each */
const LAST_EMPTY_LOOKS = 10;

interface Settler {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The parts of a collector, wired, and the loop that drives them. */
export class Agent implements Disposable {
  readonly control: AgentControl;
  readonly #deps: AgentDeps;
  readonly #options: CompiledOptions;
  readonly #stack: DisposableStack;
  readonly #sensor: Sensor;
  readonly #customProbes: CustomProbes;
  readonly #containers: ContainerSource;
  readonly #hashes: ExecHashes;
  readonly #throttled: ThrottledSource;
  readonly #skipped: SkippedCalls;
  readonly #statistics: Statistics;
  readonly #parts: PipelineParts;
  readonly #pacer: Pacer;
  readonly #interest: InterestFilter;
  readonly #flow: FlowAccount;
  readonly #commands = new Tallies();
  readonly #next: NextSequence;
  readonly #seenCgroup: OnCgroup;
  readonly #onSourceError: OnSourceError = (source, error) =>
    this.#deps.log.warn({ source, err: error }, 'a source of context can not be read: what it said before stays');
  #settlers: Settler[] = [];
  #stopping = false;
  #failed = false;
  /** what there is to say after the end */
  #last: CollectorStats | undefined;

  constructor(deps: AgentDeps) {
    const { options, identity, log, spool, sensor } = deps;
    using stack = new DisposableStack();
    this.#deps = deps;
    this.#options = options;
    this.#sensor = sensor;
    this.#customProbes = sensor.customProbes(log);
    this.#containers = this.#openContainers();
    this.#hashes = new ExecHashes({ ...options.hash, log, onAnswer: () => this.#pacer.wake() });
    stack.defer(() => void this.#hashes.close());
    this.#throttled = new ThrottledSource(
      sensor.throttled,
      () => sensor.counters.throttled,
      (cgroup) => this.#met(cgroup),
    );
    this.#skipped = new SkippedCalls(options.pinPath, log);
    const { run } = this.#sensor;
    this.#next = (lane) => run.nextSequence(lane);
    this.#seenCgroup = (low, high, ktime, exec) => this.#containers.onEvent(low, high, ktime, exec);
    this.#parts = this.#wire(new Batch({ ...identity, run: run.id }, identity.key, options.batchMaxBytes));
    stack.defer(() => {
      for (const source of this.#parts.sources) source.close();
    });
    this.#flow = new FlowAccount({
      readers: [this.#parts.security, this.#parts.bulk],
      run,
      delivery: deps.delivery,
      spool,
    });
    this.#statistics = new Statistics({
      sensor,
      spool,
      pipeline: this.#parts,
      flow: this.#flow,
      containers: this.#containers,
      throttled: this.#throttled,
      skipped: this.#skipped,
      customProbes: this.#customProbes,
      commands: this.#commands,
    });
    const { rings, filter, hooks } = this.#sensor;
    this.#pacer = new Pacer([rings.security, rings.bulk], filter.control, options.pollIntervalMs);
    this.#interest = new InterestFilter(options, { ...filter, onDemand: hooks.onDemand }, log);
    this.control = this.#openControl();
    this.#stack = stack.move();
  }

  #openContainers(): ContainerSource {
    const { log } = this.#deps;
    const onUnsafe = (directory: string): void =>
      log.warn({ directory }, 'the directory of container files is not read: others than its owner can write to it');
    const { containerFiles, hostRoot, dockerRoots } = this.#options;
    return new ContainerSource({
      fileDirectories: containerFiles,
      onUnsafe,
      roots: { root: hostRoot, dockerRoots },
      creationOf: (id) => this.#sensor.cgroups.creationOf(id),
      onScope: (id, isContainer) => this.#sensor.cgroups.setScope(id, isContainer),
      guard: createGuard('containers', this.#onSourceError),
    });
  }

  #wire(batch: Batch): PipelineParts {
    const { delivery, log } = this.#deps;
    const own = new OwnEvents(batch, this.#next);
    batch.versionOf = (generation) => this.#sensor.filter.interests.versionOf(generation);
    const sources: readonly EnrichmentSource[] = [
      ...hostSources({ hostRoot: this.#options.hostRoot, isHashing: this.#options.hash.enabled }, log),
      this.#containers,
      this.#integrity(),
      this.#throttled,
      this.#skipped,
      { name: 'hooks', start() {}, tick: () => this.#retryHooks(), close() {} },
      { name: 'probes', start() {}, tick: () => this.#customProbes.tick(), close() {} },
    ];
    return {
      batch,
      own,
      security: new LaneReader(LANE.security, this.#sensor.rings.security),
      bulk: new LaneReader(LANE.bulk, this.#sensor.rings.bulk),
      merge: new Merge(batch, this.#seenCgroup, (source, at, ktime) => {
        this.#containers.onExec(source, at, ktime);
        this.#hashes.onExec(source, at);
      }),
      ticker: new Ticker(this.#options.tickMs, batch, own, () => this.#statistics.lanes()),
      sources: sources.map((source) => guardSource(source, this.#onSourceError)),
      hashes: this.#hashes,
      delivery,
      generation: () => this.#sensor.filter.control.generation,
      failpoint: this.#deps.failpoint ?? (() => undefined),
      released: () => this.#flow.released(),
    };
  }

  #integrity(): EnrichmentSource {
    const { sensorObject, pinPath, hostRoot: root, stateDir, integrity } = this.#options;
    const { bootId } = this.#deps.identity;
    return integritySource({ sensorObject, pinPath, root, bootId, stateDir, ...integrity, log: this.#deps.log });
  }

  #retryHooks(): void {
    const hooks = this.#sensor.hooks.onDemand.retryDue(performance.now());
    if (hooks.length > 0) this.#deps.log.info({ hooks }, 'hooks that were missing are in place');
  }

  #openControl(): AgentControl {
    const { identity, trustedKeys, log } = this.#deps;
    const find = (tgid: number) => this.#sensor.process(tgid);
    return new AgentControl({
      hostId: identity.hostId,
      bootId: identity.bootId,
      trustedKeys,
      log,
      find,
      executed: new ExecutedCommands(this.#options.stateDir, Date.now() * 1000),
      limit: new RateLimit(this.#options.killsPerMinute),
      isProtected: protection(find, join(this.#options.hostRoot, '/')),
      count: (outcome, reason) => this.#commands.add(outcome === 'refused' ? `refused/${reason}` : outcome),
      setInterest: (interest) => this.#interest.apply(interest),
    });
  }

  /** Context, then hooks and running processes in the order that leaves no event with an unknown parent. */
  async start(): Promise<void> {
    const { resumed } = this.#sensor;
    const { control } = this.#sensor.filter;
    const { batch, own, sources } = this.#parts;
    control.disarm();
    // Inside a pid namespace our own number for us is not the kernel's.
    control.agent = this.#sensor.process(process.pid) ?? null;
    control.partner = this.#findPartner();
    control.shares = this.#shares();
    this.#interest.start(resumed);
    if (this.#deps.interest !== undefined) await this.control.setInterest(this.#deps.interest);
    batch.facts.wallOffset = wallOffset();
    own.ktime = bootMicros();
    for (const source of sources) source.start(own);
    if (resumed) await this.#resume();
    else this.#attach();
    this.#tellTampering(this.#deps.past);
    const { stateDir, pinPath } = this.#options;
    markSensor(stateDir, { bootId: this.#deps.identity.bootId, pinPath });
    const { probed, absent } = this.#sensor.hooks.attachProbes();
    this.#customProbes.attach();
    this.#sensor.hooks.pinPrograms();
    await this.#cycle();
    releaseFreeMemory();
    const { count: hooks, full, tracepointReason: onTracepoints } = this.#sensor.hooks;
    this.#sensor.hooks.logMissing(this.#deps.log);
    if (absent.length > 0) this.#deps.log.info({ absent }, 'this host has no such files to probe');
    this.#deps.log.info(
      { hooks, probed, full: [...full], onTracepoints, resumed, run: u64ToHex(this.#sensor.run.id) },
      'the sensor is in place',
    );
  }

  #attach(): void {
    const before = bootMicros();
    const { hooks } = this.#sensor;
    hooks.attachLifecycle();
    this.#snapshot(before);
    hooks.attachRemaining();
    hooks.adoptSockets();
  }

  /** What the pinned rings hold is older than what runs now. */
  async #resume(): Promise<void> {
    while ((await this.#cycle()).more);
    this.#snapshot(bootMicros());
  }

  #snapshot(ktime: number): void {
    const seenExec: OnExec = (source, at) => this.#hashes.onExec(source, at);
    const parts = { batch: this.#parts.batch, next: this.#next, seenCgroup: this.#seenCgroup, seenExec };
    writeSnapshot(this.#sensor.processes(), ktime, parts);
  }

  /** After the processes that did it, which so are known. */
  #tellTampering(past: readonly Buffer[] = []): void {
    const { entries, lost } = this.#sensor.tampering.take();
    const { log } = this.#deps;
    if (lost > 0) log.warn({ lost }, 'more was done to the agent than the sensor keeps: the first of it is not known');
    const parts = { batch: this.#parts.batch, next: this.#next, seenCgroup: this.#seenCgroup, log };
    writeTampering([...past, ...entries], parts);
  }

  /** Until `stop`. Rejects when a cycle fails; nothing is released then that was not delivered. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping) {
        const { taken, more } = await this.#cycle();
        const { ticker, delivery } = this.#parts;
        if (!this.#stopping) await this.#pacer.pause(taken, more, Math.min(ticker.inMs, delivery.retryInMs));
      }
    } catch (error) {
      this.#failed = true;
      for (const { reject } of this.#settlers.splice(0)) reject(error);
      throw error;
    }
  }

  async #cycle(): Promise<Cycle> {
    const settlers = this.#settlers;
    this.#settlers = [];
    const cycle = await this.#rejecting(settlers);
    this.#sensor.tampering.acknowledge();
    if (cycle.ticked) this.#tellTampering();
    const { security, bulk } = this.#parts;
    if (cycle.more || security.busy || bulk.busy) this.#settlers.push(...settlers);
    else for (const { resolve } of settlers) resolve();
    if (this.#settlers.length > 0) this.#pacer.wake();
    return cycle;
  }

  async #rejecting(settlers: readonly Settler[]): Promise<Cycle> {
    try {
      return await runCycle(this.#parts);
    } catch (error) {
      for (const { reject } of settlers) reject(error);
      throw error;
    }
  }

  settle(): Promise<void> {
    if (this.#stopping || this.#failed)
      return Promise.reject(new CollectorError('ERR_COLLECTOR_CLOSED', 'the collector is closed: start another one'));
    return new Promise((resolve, reject) => {
      this.#settlers.push({ resolve, reject });
      this.#pacer.wake();
    });
  }

  stop(): void {
    this.#stopping = true;
    this.#deps.delivery.giveUp();
    this.#pacer.wake();
  }

  #findPartner(): ProcessFacts | null {
    const { partner, log } = this.#deps;
    if (partner === undefined) return null;
    const found = this.#sensor.process(partner);
    if (found === null)
      log.warn(
        { pid: partner },
        'the process beside this one is unknown to the kernel: what is done to it is not told',
      );
    return found;
  }

  /** After the loop has ended well: nothing new comes, what is left is read, and the sensor goes. */
  async finish(): Promise<void> {
    if (!this.#options.keepPinned) this.#sensor.hooks.detach();
    const { delivery, ticker } = this.#parts;
    this.#tellTampering();
    ticker.end();
    while ((await this.#cycle()).more || delivery.retryInMs === 0);
    await this.#hashes.close();
    if (!this.#options.keepPinned) await this.#readLast();
    this.#sensor.filter.control.agent = null;
    this.#sensor.filter.control.partner = null;
    this.#last = this.stats();
    if (this.#options.keepPinned) return;
    unmarkSensor(this.#options.stateDir);
    this.#sensor.uninstall();
  }

  /** The kernel frees a hook some time after its last link is closed, and until then it goes on: nothing more comes when several looks in a row have found nothing. */
  async #readLast(): Promise<void> {
    for (let looks = 0, empty = 0; looks < LAST_LOOKS && empty < LAST_EMPTY_LOOKS; looks++) {
      empty = this.#pending() > 0 ? 0 : empty + 1;
      if (empty > 0 || (await this.#cycle()).taken === 0) await sleep(1);
    }
  }

  /** bytes */
  #pending(): number {
    const { security, bulk } = this.#parts;
    return security.pendingBytes + bulk.pendingBytes;
  }

  #met(cgroup: bigint): void {
    this.#containers.onEvent(Number(cgroup & 0xffff_ffffn), Number(cgroup >> 32n), bootMicros(), false);
  }

  #shares(): Shares | null {
    const { sharePerSecond: perSecond, shareBurst: burst, ringSecurityBytes, ringBulkBytes } = this.#options;
    return perSecond === 0 ? null : { perSecond, burst, fromBytes: [ringSecurityBytes / 2, ringBulkBytes / 2] };
  }

  stats(): CollectorStats {
    return this.#last ?? this.#statistics.read();
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
