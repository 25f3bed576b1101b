import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import type { Config, ServiceName } from '@ringfence/config';
import { startTcpProxy, type TcpProxy } from '@ringfence/dev-servers/in-process';
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
import type { Role } from '@ringfence/wire';
import { SimulatedAgent } from './agent.ts';
import { Store } from './store.ts';

const HOSTS = 3;
const INSTANCES = 2;
const PARTITIONS = 4;
const START_WITHIN_S = 180;

const RULES = `- rule: Marker
  desc: A process that each simulated host runs at intervals.
  condition: event.action = exec and process.command_line regex 'rfmark[^ ]+z'
  output: "%process.command_line"
  priority: notice
  tags: [execution]

- rule: Victim
  desc: A process that must be killed.
  condition: event.action = exec and process.command_line regex 'rfvictim[^ ]+z'
  output: "%process.command_line"
  priority: critical
  tags: [persistence]
  action: kill
`;

/** Returns the settings of a service. The limits of kills are so high that none expires in an outage of minutes. */
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
 * A whole fleet except for the kernel: three brokers, Redis and Elasticsearch behind proxies that can fail, two
 * processes of every service, and simulated hosts.
 */
export class ChaosFleet implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ringfence-chaos-'));
  readonly agents: SimulatedAgent[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly #stopped = new Set<string>();
  readonly #onStep: (step: string) => void;
  readonly #batchEveryMs: number;
  authority!: Authority;
  servers!: Servers;
  members!: Members;
  adminConfig!: Config;
  /** May read every topic; it uses the brokers' proxies, so it works only while they have no fault */
  bus!: Bus;
  store!: Store;
  redisProxy!: TcpProxy;
  searchProxy!: TcpProxy;
  #registrar!: Member;
  #registrarUrl = '';
  #endpoints: string[] = [];

  constructor(onStep: (step: string) => void, batchEveryMs: number) {
    this.#onStep = onStep;
    this.#batchEveryMs = batchEveryMs;
    this.#stack.defer(() => rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 }));
  }

  /** @param batchEveryMs interval at which each host sends its events */
  static async start(onStep: (step: string) => void, batchEveryMs: number): Promise<ChaosFleet> {
    const fleet = new ChaosFleet(onStep, batchEveryMs);
    try {
      await fleet.#start();
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  async #start(): Promise<void> {
    // Halves the restart time of a killed service.
    process.env['NODE_COMPILE_CACHE'] ??= join(this.directory, 'compiled');
    await this.#startServers();
    await this.#startMembers();
    for (let n = 0; n < HOSTS; n++) await this.addAgent(0);
    await until('every agent is attached', 60, () => this.agents.every(({ connected }) => connected));
  }

  async #startServers(): Promise<void> {
    const authorityPath = join(this.directory, 'authority');
    this.authority = await createAuthority(authorityPath);
    const options = { brokers: 3, proxied: true, authority: this.authority, onStep: this.#onStep } as const;
    const servers = this.#stack.use(await startServers(options));
    this.servers = servers;
    this.redisProxy = this.#stack.use(await startTcpProxy(servers.redis.port));
    this.searchProxy = this.#stack.use(await startTcpProxy(Number(new URL(servers.search.url).port)));
    this.store = new Store(servers.search.url);
    this.adminConfig = await createAdminConfig(this.directory, this.authority, servers);
    await this.makeTopics();
    this.bus = this.#stack.use(await openKafkaBus(kafkaOptionsOf(this.adminConfig)));
  }

  /** @param minInsyncReplicas 0: the product's default */
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
    const proxied: Servers = {
      kafka,
      redis: { ...redis, url: `redis://${this.redisProxy.address}` },
      search: { ...search, url: `http://${this.searchProxy.address}` },
      async [Symbol.asyncDispose]() {},
    };
    this.members = this.#stack.use(new Members(this.directory, proxied));
    const port = await freePort();
    this.#registrarUrl = `https://127.0.0.1:${port}`;
    this.#onStep('registrar');
    this.#registrar = await this.members.startRegistrar(port, join(this.directory, 'authority'));
    const services = ['auditor', 'enricher', 'detector', 'responder'] as const;
    this.#onStep(`${INSTANCES} of each: ${services.join(', ')}`);
    const numbers = Array.from({ length: INSTANCES }, (_, n) => n + 1);
    // The order is irrelevant: each service waits for its dependencies.
    await Promise.all(services.flatMap((service) => numbers.map((n) => this.join(`${service}-${n}`, service))));
  }

  /** Starts another member with the settings of its service. */
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

  /** Enrols an identity like a member's, for a test that acts as a member. */
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

  /** Marks the member as stopped on purpose. */
  forget(member: Member): void {
    this.#stopped.add(member.name);
  }

  /** Starts the member, and waits longer if the machine is busy. */
  async start(member: Member): Promise<void> {
    try {
      await member.start();
    } catch (error) {
      if (member.pid === undefined) throw error;
      await until(`${member.name} answers`, START_WITHIN_S, () => member.client.isRunning());
    }
  }

  of(service: ServiceName): Member[] {
    return this.members.all.filter(({ name, services }) => services.includes(service) && !this.#stopped.has(name));
  }

  /** Restarts members that exited without being stopped, and returns their names. */
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
  condition: string,
  seconds: number,
  holds: () => boolean | Promise<boolean>,
  everyMs = 200,
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(everyMs))
    if (await holds()) return;
  throw new Error(`not within ${seconds} s: ${condition}`);
}
