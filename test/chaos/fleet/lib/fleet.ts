import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import type { Config, ServiceName } from '@ringfence/config';
import { type Authority, createAuthority, enrol, type Identity } from '@ringfence/identity';
import { kafkaOptionsOf } from '@ringfence/runtime/fleet';
import {
  createAdminConfig,
  createTopics,
  freePort,
  type Member,
  type MemberOptions,
  Members,
  type Servers,
  startServers,
} from '@ringfence/simulator';
import { startTcpProxy, type TcpProxy } from '@ringfence/testkit';
import type { Role } from '@ringfence/wire';
import { SimulatedAgent } from './agent.ts';
import { Store } from './store.ts';

const HOSTS = 3;
const COPIES = 2;
const PARTITIONS = 4;
const PATIENCE_S = 180;

const RULES = `- rule: Marker
  desc: What each simulated host runs now and then.
  condition: event.action = exec and process.command_line regex 'rfmark[^ ]+z'
  output: "%process.command_line"
  priority: notice
  tags: [execution]

- rule: Victim
  desc: What has to be killed.
  condition: event.action = exec and process.command_line regex 'rfvictim[^ ]+z'
  output: "%process.command_line"
  priority: critical
  tags: [persistence]
  action: kill
`;

/** Settings beside those that every member has. An outage of minutes must not make kills expire: that would be an effect of the waiting. */
function settingsOf(service: ServiceName, rules: string): Record<string, unknown> {
  switch (service) {
    case 'detector':
      return { detector: { rules: [rules] } };
    case 'responder': {
      const limits = { killsPerMinutePerHost: 10_000, killsPerMinute: 100_000, commandTtl: '10m', maxCauseAge: '1h' };
      return { responder: { mode: 'enforce', policies: [], ...limits } };
    }
    default:
      return {};
  }
}

/**
 * Three brokers, Redis and Elasticsearch behind networks that can fail, two of every service as processes, and simulated hosts: all there is of a fleet
 * but the kernel.
 */
export class ChaosFleet implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ringfence-chaos-'));
  readonly agents: SimulatedAgent[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly #stopped = new Set<string>();
  readonly #say: (what: string) => void;
  readonly #batchEveryMs: number;
  authority!: Authority;
  servers!: Servers;
  members!: Members;
  adminConfig!: Config;
  /** somebody who may read everything, past the proxies' faults only when there are none */
  bus!: Bus;
  store!: Store;
  redisProxy!: TcpProxy;
  searchProxy!: TcpProxy;
  #registrar!: Member;
  #registrarUrl = '';
  #endpoints: string[] = [];

  constructor(say: (what: string) => void, batchEveryMs: number) {
    this.#say = say;
    this.#batchEveryMs = batchEveryMs;
    this.#stack.defer(() => rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 }));
  }

  /** @param batchEveryMs how often each host hands over what it has seen */
  static async start(say: (what: string) => void, batchEveryMs: number): Promise<ChaosFleet> {
    const fleet = new ChaosFleet(say, batchEveryMs);
    try {
      await fleet.#start();
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  async #start(): Promise<void> {
    // A killed service is back in half the time.
    process.env['NODE_COMPILE_CACHE'] ??= join(this.directory, 'compiled');
    await this.#startServers();
    await this.#startMembers();
    for (let n = 0; n < HOSTS; n++) await this.addAgent(0);
    await until('every agent is attached', 60, () => this.agents.every(({ connected }) => connected));
  }

  async #startServers(): Promise<void> {
    const authorityPath = join(this.directory, 'authority');
    this.authority = await createAuthority(authorityPath);
    const options = { brokers: 3, proxied: true, authority: this.authority, onStep: this.#say } as const;
    const real = this.#stack.use(await startServers(options));
    this.servers = real;
    this.redisProxy = this.#stack.use(await startTcpProxy(real.redis.port));
    this.searchProxy = this.#stack.use(await startTcpProxy(Number(new URL(real.search.url).port)));
    this.store = new Store(real.search.url);
    this.adminConfig = await createAdminConfig(this.directory, this.authority, real);
    await this.makeTopics();
    this.bus = this.#stack.use(await openKafkaBus(kafkaOptionsOf(this.adminConfig)));
  }

  /** @param minInsyncReplicas 0: as it should be */
  async makeTopics(minInsyncReplicas: number = 0): Promise<void> {
    const { bus } = this.adminConfig;
    const kafka = { ...bus.kafka, partitions: PARTITIONS, minInsyncReplicas };
    await createTopics({ ...this.adminConfig, bus: { ...bus, kafka } });
  }

  async #startMembers(): Promise<void> {
    const rules = join(this.directory, 'rules');
    mkdirSync(rules);
    writeFileSync(join(rules, 'chaos.yaml'), RULES);
    const { kafka, redis, search } = this.servers;
    const behind: Servers = {
      kafka,
      redis: { ...redis, url: `redis://${this.redisProxy.address}` },
      search: { ...search, url: `http://${this.searchProxy.address}` },
      async [Symbol.asyncDispose]() {},
    };
    this.members = this.#stack.use(new Members(this.directory, behind));
    const port = await freePort();
    this.#registrarUrl = `https://127.0.0.1:${port}`;
    this.#say('registrar');
    this.#registrar = await this.members.startRegistrar(port, join(this.directory, 'authority'));
    const services = ['auditor', 'enricher', 'detector', 'responder'] as const;
    this.#say(`${COPIES} of each: ${services.join(', ')}`);
    const numbers = Array.from({ length: COPIES }, (_, n) => n + 1);
    // In any order: each waits for what it needs.
    await Promise.all(services.flatMap((service) => numbers.map((n) => this.join(`${service}-${n}`, service))));
  }

  /** One more member, under the settings of its service. */
  async join(name: string, service: ServiceName, more: Readonly<Record<string, unknown>> = {}): Promise<Member> {
    const { kafka } = this.servers;
    const common = {
      log: { level: 'info', format: 'lines' },
      bus: {
        driver: 'kafka',
        kafka: {
          brokers: kafka.bootstrap,
          clientId: name,
          tls: { enabled: true },
          partitions: PARTITIONS,
          sessionTimeout: '6s',
          requestDeadline: '5s',
        },
      },
      auditor: {
        sink: 'elasticsearch',
        headInterval: '2s',
        elasticsearch: { nodes: [`http://${this.searchProxy.address}`], eventSample: 1, requestTimeout: '10s' },
      },
      ...settingsOf(service, join(this.directory, 'rules')),
    };
    const options: MemberOptions = { name, services: [service], settings: { ...common, ...more } };
    if (service !== 'responder') return this.members.join(options);
    const endpoint = `127.0.0.1:${await freePort()}`;
    this.#endpoints.push(endpoint);
    const settings = { ...options.settings, control: { listen: endpoint } };
    return this.members.join({ ...options, hosts: ['127.0.0.1'], settings });
  }

  /** An identity like those of members, for who plays one. */
  async enrol(subject: string, role: Role, directory: string): Promise<Identity> {
    const query = new URLSearchParams({ role });
    const { token } = await this.#registrar.client.json<{ token: string }>(`/token?${query}`);
    return enrol({ token, registrar: this.#registrarUrl, subject, roles: [role], directory });
  }

  async addAgent(clockAhead: number): Promise<SimulatedAgent> {
    const hostId = crypto.randomUUID();
    const directory = join(this.directory, `agent-${this.agents.length + 1}`);
    const identity = await this.enrol(hostId, 'agent', join(directory, 'identity'));
    const brokers = this.servers.kafka.bootstrap;
    const agent = new SimulatedAgent({
      identity,
      directory,
      brokers,
      endpoints: this.#endpoints,
      batchEveryMs: this.#batchEveryMs,
      clockAhead,
    });
    await agent.start();
    this.agents.push(this.#stack.use(agent));
    return agent;
  }

  /** It was stopped on purpose, and stays so. */
  forget(member: Member): void {
    this.#stopped.add(member.name);
  }

  /** Starts it, however busy the machine is. */
  async start(member: Member): Promise<void> {
    try {
      await member.start();
    } catch (error) {
      if (member.pid === undefined) throw error;
      await until(`${member.name} answers`, PATIENCE_S, () => member.client.isRunning());
    }
  }

  of(service: ServiceName): Member[] {
    return this.members.all.filter(({ name, services }) => services.includes(service) && !this.#stopped.has(name));
  }

  /** Those whose process has ended though nobody stopped it are started again, and named. */
  async revive(): Promise<string[]> {
    const ended = this.members.all.filter(({ name, pid }) => pid === undefined && !this.#stopped.has(name));
    for (const member of ended) await this.start(member);
    return ended.map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export async function until(
  what: string,
  seconds: number,
  holds: () => boolean | Promise<boolean>,
  everyMs = 200,
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(everyMs))
    if (await holds()) return;
  throw new Error(`never within ${seconds} s: ${what}`);
}
