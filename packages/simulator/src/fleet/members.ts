import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '@ringfence/base';
import { HOME, type ServiceName } from '@ringfence/config';
import { enrol } from '@ringfence/identity';
import { loadHostId } from '@ringfence/identity/local';
import { ApiClient } from '@ringfence/runtime/client';
import { roleOf } from '@ringfence/runtime/fleet';
import { stringify } from 'yaml';
import type { SimulationPlan } from '../hosts/simulation.ts';
import type { Servers } from './servers.ts';

const MAIN = join(HOME, 'cli/src/main.ts');
const SIMULATOR = fileURLToPath(new URL('../hosts/main.ts', import.meta.url));
/** Deadline of a start, long enough for a loaded machine. */
const START_DEADLINE_MS = 180_000;
/** Longer than the shutdown deadline of a service. */
const STOP_DEADLINE_MS = 60_000;
/** Hosts that enrol in parallel. */
const ENROL_AT_ONCE = 8;

export interface MemberOptions {
  readonly name: string;
  readonly services: readonly ServiceName[];
  /** Settings in addition to those of every member. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Names and addresses of this member as a server. */
  readonly hosts?: readonly string[];
}

export interface SimulationOptions extends Omit<SimulationPlan, 'configFiles' | 'socket'> {
  /** Number of hosts. */
  readonly count: number;
  /** Settings of each host. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A process of the fleet, with settings, identity and log in its own directory. */
export interface Member {
  readonly name: string;
  readonly services: readonly ServiceName[];
  readonly configFile: string;
  readonly directory: string;
  readonly client: ApiClient;
  /** Undefined while no process runs. */
  readonly pid: number | undefined;
  /** Waits until the process answers. Rejects with the end of its log when it does not start. */
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** The processes of a fleet. Each has a directory below the fleet's directory. */
export class Members implements AsyncDisposable {
  readonly all: Member[] = [];
  readonly #directory: string;
  readonly #servers: Servers;
  readonly #signal: AbortSignal | undefined;
  #registrar: { readonly member: Member; readonly url: string } | undefined;

  /** @param signal ends starts */
  constructor(directory: string, servers: Servers, signal?: AbortSignal) {
    this.#directory = directory;
    this.#servers = servers;
    this.#signal = signal;
  }

  /** Starts the first member. It needs no token, because it has the authority. */
  async startRegistrar(port: number, authority: string): Promise<Member> {
    const settings = { registrar: { path: authority, listen: `127.0.0.1:${port}`, names: ['127.0.0.1'] } };
    const member = this.#add({ name: 'registrar', services: ['registrar'], settings });
    await member.start();
    this.#registrar = { member, url: `https://127.0.0.1:${port}` };
    return member;
  }

  /** Enrols a member with a new token and starts it. */
  async join(options: MemberOptions): Promise<Member> {
    const member = this.#add(options);
    await this.#enrol(options, member.directory);
    await member.start();
    return member;
  }

  /** Enrols simulated hosts, each with a new token, and starts the process that runs all of them. */
  async simulate({ count, settings, ...plan }: SimulationOptions): Promise<Member> {
    const directory = join(this.#directory, 'hosts');
    const configFiles: string[] = [];
    for (let first = 1; first <= count; first += ENROL_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(ENROL_AT_ONCE, count - first + 1) }, (_, index) => first + index);
      configFiles.push(...(await Promise.all(numbers.map((number) => this.#enrolHost(number, settings)))));
    }
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const planFile = join(directory, 'plan.json');
    const socket = join(directory, 'run/ringfence.sock');
    writeFileSync(planFile, JSON.stringify({ ...plan, configFiles, socket } satisfies SimulationPlan, null, 2));
    const args = [SIMULATOR, planFile];
    const member = new ChildMember(
      { name: 'hosts', services: ['collector'], directory, configFile: planFile, args },
      this.#signal,
    );
    this.all.push(member);
    await member.start();
    return member;
  }

  async #enrolHost(number: number, settings: SimulationOptions['settings']): Promise<string> {
    this.#signal?.throwIfAborted();
    const options = { name: `host-${number}`, services: ['collector'] as const, settings };
    const configFile = this.#writeConfig(options);
    await this.#enrol(options, join(this.#directory, options.name));
    return configFile;
  }

  async #enrol({ name, services, hosts = [] }: MemberOptions, directory: string): Promise<void> {
    const registrar = this.#registrar;
    if (registrar === undefined) throw new TypeError('start the registrar before other members');
    const roles = services.map(roleOf);
    const query = new URLSearchParams({ role: roles.join(',') });
    for (const host of hosts) query.append('host', host);
    const { token } = await registrar.member.client.json<{ token: string }>(`/token?${query}`);
    const subject = roles.includes('agent') ? loadHostId(join(directory, 'state')) : name;
    await enrol({ token, registrar: registrar.url, subject, roles, directory: join(directory, 'state/identity') });
  }

  #add(options: MemberOptions): Member {
    const { name, services } = options;
    const configFile = this.#writeConfig(options);
    const args = [MAIN, 'up', '--config', configFile];
    const directory = join(this.#directory, name);
    const member = new ChildMember({ name, services, directory, configFile, args }, this.#signal);
    this.all.push(member);
    return member;
  }

  /** Writes the settings of a member to a file in its directory. Returns the path of the file. */
  #writeConfig({ name, services, settings = {} }: MemberOptions): string {
    const directory = join(this.#directory, name);
    mkdirSync(join(directory, 'state'), { recursive: true, mode: 0o700 });
    const configFile = join(directory, 'ringfence.yaml');
    const { kafka, redis, search } = this.#servers;
    const common = {
      stateDir: join(directory, 'state'),
      runDir: join(directory, 'run'),
      services,
      instance: name,
      bus: { driver: 'kafka', kafka: { brokers: kafka.bootstrap, tls: { enabled: true } } },
      redis: { url: redis.url },
      auditor: { sink: 'elasticsearch', elasticsearch: { nodes: [search.url] } },
      access: {},
      identity: this.#registrar === undefined ? {} : { registrar: this.#registrar.url },
      metrics: { enabled: false },
    };
    writeFileSync(configFile, stringify({ ...common, ...settings }), { mode: 0o600 });
    return configFile;
  }

  /** Stops agents first, so that the services can finish the events that are on their way. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isAgent = ({ services }: Member): boolean => services.includes('collector');
    await Promise.all(this.all.filter(isAgent).map((member) => member.stop()));
    await Promise.all(this.all.filter((member) => !isAgent(member)).map((member) => member.stop()));
  }
}

interface ChildOptions extends Pick<Member, 'name' | 'services' | 'directory' | 'configFile'> {
  /** Arguments of node. */
  readonly args: readonly string[];
}

class ChildMember implements Member {
  readonly name: string;
  readonly services: readonly ServiceName[];
  readonly directory: string;
  readonly configFile: string;
  readonly client: ApiClient;
  readonly #args: readonly string[];
  readonly #signal: AbortSignal | undefined;
  #child: ChildProcess | undefined;

  constructor({ name, services, directory, configFile, args }: ChildOptions, signal: AbortSignal | undefined) {
    this.name = name;
    this.services = services;
    this.directory = directory;
    this.configFile = configFile;
    this.#args = args;
    this.#signal = signal;
    this.client = new ApiClient(join(directory, 'run/ringfence.sock'), 'the fleet of this machine is set up');
  }

  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  async start(): Promise<void> {
    this.#spawn();
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!(await this.client.isRunning())) {
      this.#signal?.throwIfAborted();
      if (this.pid === undefined || performance.now() > deadline) throw this.#startFailure();
      await sleep(100);
    }
  }

  /**
   * Spawns in a new session, because Ctrl-C must not reach members before this process stops them in order. The kernel
   * sends SIGTERM when this process ends, even by SIGKILL, so that no member is left behind.
   */
  #spawn(): void {
    const log = openSync(join(this.directory, 'log'), 'a', 0o600);
    try {
      const command = ['--pdeathsig', 'TERM', process.execPath, ...process.execArgv, ...this.#args];
      this.#child = spawn('setpriv', command, { stdio: ['ignore', log, log], detached: true });
      // `start` reports a failed spawn: the process has no pid.
      this.#child.on('error', () => {});
    } finally {
      closeSync(log);
    }
  }

  #startFailure(): OperatorError {
    const log = join(this.directory, 'log');
    const lastLines = readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n');
    const problem =
      this.pid === undefined ? 'ended during its start' : `did not answer within ${START_DEADLINE_MS / 1000} s`;
    return new OperatorError(`${this.name} ${problem}; last lines of ${log}:\n${lastLines}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(timer);
  }
}
