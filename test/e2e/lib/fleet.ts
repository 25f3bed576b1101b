import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditReader } from '@ringfence/auditor';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import type { ServiceName } from '@ringfence/config';
import type { KafkaCluster } from '@ringfence/dev-servers';
import { createAuthority, enrol, identityPaths, loadIdentity } from '@ringfence/identity';
import type { Revocation } from '@ringfence/registrar';
import { kafkaOptionsOf } from '@ringfence/runtime/fleet';
import {
  createAdminConfig,
  createTopics,
  freePort,
  type Member,
  type MemberOptions,
  Members,
  type Servers,
  startBrokers,
} from '@ringfence/simulator';
import { decode, type Role, SchemaError, TOPIC } from '@ringfence/wire';
import { FleetAgent } from './fleet-agent.ts';
import { until } from './wait.ts';

/** Deadline for the start of a process on a loaded machine. */
export const START_TIMEOUT_MS = 240_000;

const RULES = `- rule: Bystander
  desc: A process that only raises an alert.
  condition: event.action = exec and process.command_line contains rfbystander
  output: "%process.command_line"
  priority: notice
  tags: [execution]

- rule: Victim
  desc: A process that must be killed.
  condition: event.action = exec and process.command_line contains rfvictim
  output: "%process.command_line"
  priority: critical
  tags: [persistence]
  action: kill
`;

/** Enforced everywhere and for all incidents, so that an accepted forged incident would kill. */
const POLICIES = `policy: incidents
desc: Kills the processes of every incident.
mode: enforce
when:
  incident:
    severity: debug
do: kill
`;

/** Partitions of the topics that are spread. */
export const PARTITIONS = 2;

type Settings = Readonly<Record<string, unknown>>;

export interface MemberHealth {
  readonly status: number;
  /** Problem of each part, or null. */
  readonly checks: Readonly<Record<string, string | null>>;
}

/**
 * A fleet with one process per service, on a broker with mutual TLS and access lists. Shared state is in files, so that
 * the fleet starts fast; separate tests cover Redis and Elasticsearch.
 */
export class SmallFleet implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ringfence-fleet-'));
  readonly #stack = new AsyncDisposableStack();
  readonly #settings: Settings;
  readonly #endpoints: string[] = [];
  #registrar: Member | undefined;
  #registrarUrl = '';
  #agents = 0;
  readonly #health = new Map<string, string>();
  kafka!: KafkaCluster;
  members!: Members;
  /** Bus of an administrator with all permissions. */
  bus!: Bus;

  private constructor(settings: Settings) {
    this.#settings = settings;
    this.#stack.defer(() => rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 }));
  }

  /** Starts the broker, the topics and the registrar. @param settings settings of every member */
  static async start(settings: Settings = {}): Promise<SmallFleet> {
    const fleet = new SmallFleet(settings);
    try {
      await fleet.#start();
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  async #start(): Promise<void> {
    const authorityPath = join(this.directory, 'authority');
    const authority = await createAuthority(authorityPath);
    this.kafka = this.#stack.use(await startBrokers({ brokers: 1, authority }));
    // Without Redis, responders share a file. Without a search cluster, auditors write a file.
    const servers = {
      kafka: this.kafka,
      redis: { url: '' },
      search: { url: 'http://127.0.0.1:9' },
    } as unknown as Servers;
    const admin = await createAdminConfig(this.directory, authority, servers);
    const { bus } = admin;
    await createTopics({ ...admin, bus: { ...bus, kafka: { ...bus.kafka, partitions: PARTITIONS } } });
    this.bus = this.#stack.use(await openKafkaBus(kafkaOptionsOf(admin)));
    this.members = this.#stack.use(new Members(this.directory, servers));
    const port = await freePort();
    this.#registrarUrl = `https://127.0.0.1:${port}`;
    this.#registrar = await this.members.startRegistrar(port, authorityPath);
    for (const [name, text] of Object.entries({ rules: RULES, policies: POLICIES })) {
      mkdirSync(join(this.directory, name));
      writeFileSync(join(this.directory, name, 'test.yaml'), text);
    }
  }

  /** Starts the named services, or one of each, in parallel, because each waits for its dependencies. */
  async join(...services: ServiceName[]): Promise<void> {
    const selected = services.length > 0 ? services : (['auditor', 'enricher', 'detector', 'responder'] as const);
    await Promise.all(selected.map(async (service) => this.members.join(await this.optionsOf(service))));
  }

  async optionsOf(service: ServiceName, name: string = service): Promise<MemberOptions> {
    const brokers = this.kafka.bootstrap;
    const address = `127.0.0.1:${await freePort()}`;
    this.#health.set(name, `http://${address}`);
    const common = {
      bus: { driver: 'kafka', kafka: { brokers, partitions: PARTITIONS, tls: { enabled: true } } },
      metrics: { enabled: true, listen: address },
      identity: { registrar: this.#registrarUrl },
      auditor: { sink: 'sqlite', headInterval: '2s' },
      detector: { rules: [join(this.directory, 'rules')] },
      responder: { mode: 'enforce', policies: [join(this.directory, 'policies')], killsPerMinutePerHost: 1000 },
      ...this.#settings,
    };
    if (service !== 'responder') return { name, services: [service], settings: common };
    const listen = `127.0.0.1:${await freePort()}`;
    this.#endpoints.push(listen);
    return { name, services: [service], hosts: ['127.0.0.1'], settings: { ...common, control: { listen } } };
  }

  /** Returns the health of a member; undefined if it does not answer. */
  async health(name: string, path: '/healthz' | '/readyz'): Promise<MemberHealth | undefined> {
    try {
      const response = await fetch(`${this.#health.get(name)}${path}`, { signal: AbortSignal.timeout(5000) });
      const { checks } = (await response.json()) as Pick<MemberHealth, 'checks'>;
      return { status: response.status, checks };
    } catch {
      return undefined;
    }
  }

  member(name: string): Member {
    const found = this.members.all.find((candidate) => candidate.name === name);
    if (found === undefined) throw new TypeError(`no member ${name}`);
    return found;
  }

  /** Starts an existing member, with a deadline for a loaded machine. */
  async start(name: string): Promise<void> {
    const member = this.member(name);
    try {
      await member.start();
    } catch (error) {
      if (member.pid === undefined) throw error;
      await until(`${name} answers`, () => member.client.isRunning(), START_TIMEOUT_MS);
    }
  }

  /** Returns the Prometheus metrics of a member. */
  async metrics(name: string): Promise<string> {
    return (await fetch(`${this.#health.get(name)}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
  }

  /** Enrols a new host with a token, starts its agent and waits for its control stream. */
  async agent(endpoints: readonly string[] = this.#endpoints): Promise<FleetAgent> {
    const directory = join(this.directory, `agent-${++this.#agents}`);
    const identity = await this.enrol(crypto.randomUUID(), 'agent', join(directory, 'identity'));
    const brokers = this.kafka.bootstrap;
    const agent = this.#stack.use(new FleetAgent({ identity, directory, brokers, endpoints }));
    await agent.start();
    await until(`the control stream of ${agent.hostId}`, () => agent.connected, START_TIMEOUT_MS);
    return agent;
  }

  /** Control endpoints of agents, host:port. */
  get endpoints(): readonly string[] {
    return this.#endpoints;
  }

  async enrol(subject: string, role: Role, directory: string): ReturnType<typeof enrol> {
    // Named in the token, a subject may enrol again.
    const query = new URLSearchParams({ role, subject });
    const { token } = await this.#registrarClient.json<{ token: string }>(`/token?${query}`);
    return enrol({ token, registrar: this.#registrarUrl, subject, roles: [role], directory });
  }

  async revoke(subject: string): Promise<Revocation> {
    return this.#registrarClient.json<Revocation>(`/revoke?${new URLSearchParams({ subject })}`);
  }

  get #registrarClient(): Member['client'] {
    if (this.#registrar === undefined) throw new TypeError('the registrar does not run');
    return this.#registrar.client;
  }

  /** Returns a bus with the broker credentials of a member, as for a thief. The signing key is separate. */
  async stolenBus(name: string): Promise<Bus> {
    const directory = join(this.member(name).directory, 'state/identity');
    if (loadIdentity(directory) === null) throw new TypeError(`${name} is not enrolled`);
    return this.busOf(directory);
  }

  async busOf(identityDirectory: string): Promise<Bus> {
    const { authority: ca, certificate: cert, key } = identityPaths(identityDirectory);
    const options = { brokers: this.kafka.bootstrap, tls: { ca, cert, key }, clientId: 'thief' };
    return this.#stack.use(await openKafkaBus({ ...options, produceDeadlineMs: 5000, requestDeadlineMs: 10_000 }));
  }

  audit(): AuditReader {
    return new AuditReader(join(this.member('auditor').directory, 'state/audit.db'));
  }

  /** Returns `stage code` of each dead letter, sorted. */
  async deadLetters(): Promise<string[]> {
    const found: string[] = [];
    for await (const { value } of this.bus.read({ topic: TOPIC.dlq })) {
      try {
        const { stage, code } = decode('DeadLetter', value ?? Buffer.alloc(0));
        found.push(`${stage} ${code}`);
      } catch (error) {
        // Records written with a stolen key can be invalid.
        if (!(error instanceof SchemaError)) throw error;
      }
    }
    return found.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
