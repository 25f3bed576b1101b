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
import { type Identity, identityPaths, TrustedKeys, watchCertificates } from '@ringfence/identity';
import { EVIDENCE_BOOT, SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { createLogger } from '@ringfence/telemetry';
import { decode, eventId, LANE, type Result } from '@ringfence/wire';

export interface AgentOptions {
  readonly identity: Identity;
  /** where the identity is, and what the agent keeps */
  readonly directory: string;
  readonly brokers: readonly string[];
  readonly endpoints: readonly string[];
  readonly batchEveryMs: number;
  /** s that this host's clock is ahead. @default 0 */
  readonly clockAhead?: number;
}

const TICK_EVERY_MS = 1000;
const MARKER_EVERY_MS = 500;
const VICTIM_EVERY_MS = 4000;
const CGROUP = 77n;
const SPOOL_BYTES = 256 << 20;
const log = createLogger({ level: 'silent' });

/** What an agent has made since `begin`. */
export interface Produced {
  /** of every event that a store must have */
  readonly events: Set<string>;
  /** texts of the alerts that must come of it */
  readonly alerts: Set<string>;
  /** processes that must be killed, by the text of their alert */
  readonly victims: Map<string, ChildProcess>;
}

/**
 * A host that exists only in its events, with a collector's own spool, delivery and control: every identity is noted before it is handed over. The
 * processes it says to have are made up, but for those that a rule wants killed: they are there.
 */
export class SimulatedAgent implements AsyncDisposable {
  readonly hostId: string;
  /** how often each command was carried out */
  readonly executed: Map<string, number> = new Map();
  produced: Produced = { events: new Set(), alerts: new Set(), victims: new Map() };
  /** the event made last */
  last = '';
  /** events that a full spool dropped: none may be */
  get dropped(): number {
    return this.#outbox.stats().spool.droppedBatches;
  }
  readonly #stack = new AsyncDisposableStack();
  readonly #options: AgentOptions;
  readonly #host: SyntheticHost;
  readonly #running = new Map<number, { readonly child: ChildProcess; readonly shown: SyntheticProcess }>();
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

  get spooling(): boolean {
    return this.#outbox.isSpooling;
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
    const trusted = new TrustedKeys(identity.root, 'responder');
    this.#link = this.#stack.use(
      connectControl({
        endpoints,
        tls: this.#stack.use(watchCertificates(files)),
        control: this.#control(trusted),
        trusted,
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
        const { child, shown } = this.#running.get(tgid) ?? {};
        // Its number may be somebody else's by now.
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
        const start = shown?.start ?? 0n;
        return { tgid, start, parentTgid: process.pid, executable: '/usr/bin/sleep' };
      },
      isProtected: () => null,
      setInterest: () => {},
      log,
    });
    const execute = async (command: Uint8Array): Promise<Uint8Array> => {
      const answer = await control.execute(command);
      const { id, outcome }: Result = decode('Result', answer);
      if (outcome === 'executed') this.executed.set(id, (this.executed.get(id) ?? 0) + 1);
      return answer;
    };
    return { hostId: this.hostId, execute, setInterest: async () => {} };
  }

  /** Events are made from now on, and noted anew. */
  begin(): void {
    this.produced = { events: new Set(), alerts: new Set(), victims: new Map() };
    this.#paused = false;
  }

  /** No more events are made; what waits still goes out. */
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

  /** A process of which the rules make an alert. */
  #mark(): void {
    const text = `true rfmark${this.hostId}n${this.#marker++}z`;
    const marked = this.#host.spawn(this.#host.init, '/bin/true', text.split(' '));
    this.#host.exit(marked);
    this.produced.alerts.add(text);
  }

  /** One that has to be killed. */
  #victim(): void {
    const text = `sleep rfvictim${this.hostId}n${this.#marker++}z`;
    const child = spawn('sleep', ['3600'], { stdio: 'ignore' });
    if (child.pid === undefined) throw new Error('sleep was not started');
    const shown = this.#host.fork(this.#host.init, { pid: child.pid, cgroup: CGROUP });
    this.#running.set(child.pid, { child, shown });
    this.#host.exec(shown, '/usr/bin/sleep', { argv: text.split(' ') });
    this.produced.alerts.add(text);
    this.produced.victims.set(text, child);
  }

  /** What was gathered, signed, as the collector's Batch gives it; its events are noted. */
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

  /** Rejects when the loop of events has ended by an error. */
  get failed(): Promise<void> {
    return this.#loop ?? Promise.resolve();
  }
}
