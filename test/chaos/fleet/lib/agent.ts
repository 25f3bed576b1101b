import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import {
  createAgentControl,
  type Outbox,
  openOutbox,
  type SignedBatch,
  toSignedBatch,
} from '@ringfence/collector/sensorless';
import { type ControlLink, connectControl } from '@ringfence/control';
import {
  FleetStanding,
  type Identity,
  identityPaths,
  standingPath,
  TrustedKeys,
  watchCertificates,
} from '@ringfence/identity';
import { EVIDENCE_BOOT, SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { createLogger } from '@ringfence/telemetry';
import { decode, eventId, LANE, type Result } from '@ringfence/wire';

export interface AgentOptions {
  readonly identity: Identity;
  /** Directory of the identity and of the agent's state */
  readonly directory: string;
  readonly brokers: readonly string[];
  readonly endpoints: readonly string[];
  readonly batchEveryMs: number;
  /** How far this host's clock is ahead, s. @default 0 */
  readonly clockAhead?: number;
}

const TICK_EVERY_MS = 1000;
const MARKER_EVERY_MS = 500;
const VICTIM_EVERY_MS = 4000;
const CGROUP = 77n;
const SPOOL_BYTES = 256 << 20;
const log = createLogger({ level: 'silent' });

/** Events, alerts and victims of an agent since `begin`. */
export interface Produced {
  /** Ids of the events that a store must have */
  readonly events: Set<string>;
  /** Output texts of the alerts that must be raised */
  readonly alerts: Set<string>;
  /** Processes that must be killed, by the output text of their alert */
  readonly victims: Map<string, ChildProcess>;
}

/**
 * A simulated host with the collector's real spool, delivery and control. It notes each event's id before it sends the
 * event. Its processes are fictitious, except for the victims, which really run.
 */
export class SimulatedAgent implements AsyncDisposable {
  readonly hostId: string;
  /** Number of executions by command id */
  readonly executed: Map<string, number> = new Map();
  produced: Produced = { events: new Set(), alerts: new Set(), victims: new Map() };
  /** Id of the newest event */
  last = '';
  /** Batches dropped by a full spool; there must be none */
  get dropped(): number {
    return this.#outbox.stats().spool.droppedBatches;
  }
  readonly #stack = new AsyncDisposableStack();
  readonly #options: AgentOptions;
  readonly #host: SyntheticHost;
  readonly #running = new Map<number, { readonly child: ChildProcess; readonly simulated: SyntheticProcess }>();
  #paused = true;
  #bus!: Bus;
  #outbox!: Outbox;
  #link!: ControlLink;
  #loop: Promise<void> | undefined;
  #ended = false;
  #marker = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { identity, clockAhead = 0 } = options;
    this.hostId = identity.subject;
    this.#host = new SyntheticHost({
      hostId: this.hostId,
      bootId: EVIDENCE_BOOT,
      run: randomBytes(8).readBigUInt64LE(),
      key: identity.signingKey,
      step: 1,
      wallOffset: (Date.now() - Math.round(performance.now()) - 3_600_000 + clockAhead * 1000) * 1000,
    });
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  async start(): Promise<void> {
    const { identity, directory, brokers, endpoints } = this.#options;
    const files = identityPaths(join(directory, 'identity'));
    const tls = { ca: files.authority, cert: files.certificate, key: files.key };
    this.#bus = this.#stack.use(await openKafkaBus({ brokers, tls, clientId: this.hostId, produceDeadlineMs: 2000 }));
    const outbox = openOutbox({
      bus: this.#bus,
      hostId: this.hostId,
      spoolPath: join(directory, 'spool'),
      spoolMaxBytes: SPOOL_BYTES,
      log,
    });
    this.#outbox = this.#stack.adopt(outbox, (opened) => opened.close());
    const standing = new FleetStanding(identity.root, { path: standingPath(join(directory, 'identity')) });
    const trusted = new TrustedKeys(identity.root, 'responder', standing);
    this.#link = this.#stack.use(
      connectControl({
        endpoints,
        tls: this.#stack.use(watchCertificates(files)),
        control: this.#control(trusted),
        trusted,
        standing,
        bootId: EVIDENCE_BOOT,
        agentVersion: 'chaos',
        log,
        backoffMs: 100,
        maxBackoffMs: 2000,
      }),
    );
    this.#stack.defer(() => {
      for (const child of this.produced.victims.values()) child.kill('SIGKILL');
    });
    this.#host.container({ cgroup: CGROUP, path: '/rf-chaos', id: 'chaos' });
    this.#loop = this.#run();
  }

  #control(trusted: TrustedKeys) {
    const control = createAgentControl({
      hostId: this.hostId,
      bootId: EVIDENCE_BOOT,
      trustedKeys: trusted,
      stateDir: this.#options.directory,
      killsPerMinute: 10_000,
      find: (tgid) => {
        const { child, simulated } = this.#running.get(tgid) ?? {};
        // Another process may have the pid by now.
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
        const start = simulated?.start ?? 0n;
        return { tgid, start, parentTgid: process.pid, executable: '/usr/bin/sleep' };
      },
      list: () => [],
      isProtected: () => null,
      setInterest: () => {},
      log,
    });
    const execute = async (command: Uint8Array): Promise<Uint8Array> => {
      const result = await control.execute(command);
      const { id, outcome }: Result = decode('Result', result);
      if (outcome === 'executed') this.executed.set(id, (this.executed.get(id) ?? 0) + 1);
      return result;
    };
    return { hostId: this.hostId, execute, setInterest: async () => {} };
  }

  /** Starts making events, with an empty account. */
  begin(): void {
    this.produced = { events: new Set(), alerts: new Set(), victims: new Map() };
    this.#paused = false;
  }

  /** Stops making events. Waiting batches are still sent. */
  pause(): void {
    this.#paused = true;
  }

  async #run(): Promise<void> {
    let tickAt = 0;
    let markerAt = 0;
    let victimAt = 0;
    for (; !this.#ended; await sleep(this.#options.batchEveryMs)) {
      const now = performance.now();
      this.#host.ktime = Math.max(this.#host.ktime, Math.round(now * 1000) + 3_600_000_000);
      if (now > tickAt) {
        this.#host.tick(0);
        tickAt = now + TICK_EVERY_MS;
      }
      if (!this.#paused) {
        this.#work();
        if (now > markerAt) {
          this.#mark();
          markerAt = now + MARKER_EVERY_MS;
        }
        if (now > victimAt) {
          this.#victim();
          victimAt = now + VICTIM_EVERY_MS;
        }
      }
      if (this.#host.count > 0) await this.#outbox.send([this.#finish()]);
      await this.#outbox.drain();
    }
  }

  #work(): void {
    const host = this.#host;
    const shell = host.spawn(host.init, '/bin/sh', ['sh', '-c', 'true']);
    host.open(shell, '/etc/hosts');
    host.exit(shell);
  }

  /** Runs a simulated process that raises an alert. */
  #mark(): void {
    const text = `true rfmark${this.hostId}n${this.#marker++}z`;
    const marked = this.#host.spawn(this.#host.init, '/bin/true', text.split(' '));
    this.#host.exit(marked);
    this.produced.alerts.add(text);
  }

  /** Starts a real process that must be killed. */
  #victim(): void {
    const text = `sleep rfvictim${this.hostId}n${this.#marker++}z`;
    const child = spawn('sleep', ['3600'], { stdio: 'ignore' });
    if (child.pid === undefined) throw new Error('sleep did not start');
    const simulated = this.#host.fork(this.#host.init, { pid: child.pid, cgroup: CGROUP });
    this.#running.set(child.pid, { child, simulated });
    this.#host.exec(simulated, '/usr/bin/sleep', { argv: text.split(' ') });
    this.produced.alerts.add(text);
    this.produced.victims.set(text, child);
  }

  /** Signs the gathered events as a batch, and notes their ids. */
  #finish(): SignedBatch {
    const bytes = this.#host.batch();
    const { events, ...origin } = decode('RawBatch', bytes);
    for (const { lane, cpu, sequence, body } of events) {
      if (this.#paused || lane === LANE.context || 'ringfence.Tick' in body) continue;
      this.last = eventId(origin, lane, cpu, sequence);
      this.produced.events.add(this.last);
    }
    return toSignedBatch(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#loop?.catch(() => {});
    await this.#stack.disposeAsync();
  }
}
