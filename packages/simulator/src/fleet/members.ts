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
import type { SimulationPlan } from '../hosts/plan.ts';
import type { Servers } from './servers.ts';

const MAIN = join(HOME, 'cli/src/main.ts');
const SIMULATOR = fileURLToPath(new URL('../hosts/main.ts', import.meta.url));
/** A machine that has much else to do takes long. */
const READY_MS = 180_000;
/** Longer than a service itself takes at most to finish what it has in hand. */
const STOP_MS = 60_000;
/** Hosts that enrol side by side. */
const ENROL_AT_ONCE = 8;

export interface MemberOptions {
  readonly name: string;
  readonly services: readonly ServiceName[];
  /** settings beside those that every member has */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** names and addresses that it serves under */
  readonly hosts?: readonly string[];
}

export interface SimulatedOptions extends Omit<SimulationPlan, 'configFiles' | 'socket'> {
  readonly count: number;
  /** settings of each */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** One process of the fleet: its settings, its identity, its log, all in a directory of its own. */
export interface Member {
  readonly name: string;
  readonly services: readonly ServiceName[];
  readonly configFile: string;
  readonly directory: string;
  readonly client: ApiClient;
  /** of the process that runs now */
  readonly pid: number | undefined;
  /** Resolves when it answers. Rejects with the end of its log when it does not start. */
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Makes members of one fleet, below one directory. */
export class Members implements AsyncDisposable {
  readonly all: Member[] = [];
  readonly #directory: string;
  readonly #servers: Servers;
  readonly #signal: AbortSignal | undefined;
  #registrar: { readonly member: Member; readonly url: string } | undefined;

  /** `signal` ends starts */
  constructor(directory: string, servers: Servers, signal?: AbortSignal) {
    this.#directory = directory;
    this.#servers = servers;
    this.#signal = signal;
  }

  /** The first member: it needs no token, for it has the authority. */
  async registrar(port: number, authority: string): Promise<Member> {
    const settings = { registrar: { path: authority, listen: `127.0.0.1:${port}`, names: ['127.0.0.1'] } };
    const member = this.#add({ name: 'registrar', services: ['registrar'], settings });
    await member.start();
    this.#registrar = { member, url: `https://127.0.0.1:${port}` };
    return member;
  }

  /** Enrolled with a token of its own, and started. */
  async join(options: MemberOptions): Promise<Member> {
    const member = this.#add(options);
    await this.#enrol(options, member.directory);
    await member.start();
    return member;
  }

  /** Hosts that exist only in their events, all in one process; each enrols with a token of its own. */
  async simulate({ count, settings, ...plan }: SimulatedOptions): Promise<Member> {
    const directory = join(this.#directory, 'hosts');
    const configFiles: string[] = [];
    for (let at = 1; at <= count; at += ENROL_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(ENROL_AT_ONCE, count - at + 1) }, (_, i) => at + i);
      configFiles.push(
        ...(await Promise.all(
          numbers.map(async (number) => {
            this.#signal?.throwIfAborted();
            const options = { name: `host-${number}`, services: ['collector'] as const, settings };
            const configFile = this.#configure(options);
            await this.#enrol(options, join(this.#directory, options.name));
            return configFile;
          }),
        )),
      );
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

  async #enrol({ name, services, hosts = [] }: MemberOptions, directory: string): Promise<void> {
    const registrar = this.#registrar;
    if (registrar === undefined) throw new TypeError('the registrar comes first');
    const roles = services.map(roleOf);
    const query = new URLSearchParams({ role: roles.join(',') });
    for (const host of hosts) query.append('host', host);
    const { token } = await registrar.member.client.json<{ token: string }>(`/token?${query}`);
    const subject = roles.includes('agent') ? loadHostId(join(directory, 'state')) : name;
    await enrol({ token, registrar: registrar.url, subject, roles, directory: join(directory, 'state/identity') });
  }

  #add(options: MemberOptions): Member {
    const { name, services } = options;
    const configFile = this.#configure(options);
    const args = [MAIN, 'up', '--config', configFile];
    const directory = join(this.#directory, name);
    const member = new ChildMember({ name, services, directory, configFile, args }, this.#signal);
    this.all.push(member);
    return member;
  }

  /** The file with its settings, in its directory. */
  #configure({ name, services, settings = {} }: MemberOptions): string {
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
      metrics: { enabled: false },
    };
    writeFileSync(configFile, stringify({ ...common, ...settings }), { mode: 0o600 });
    return configFile;
  }

  /** First what makes events, so that the others can finish what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    const [sources, others] = [true, false].map((source) =>
      this.all.filter(({ services }) => services.includes('collector') === source),
    ) as [Member[], Member[]];
    await Promise.all(sources.map((member) => member.stop()));
    await Promise.all(others.map((member) => member.stop()));
  }
}

interface ChildOptions extends Pick<Member, 'name' | 'services' | 'directory' | 'configFile'> {
  /** of node */
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
    this.client = new ApiClient(join(directory, 'run/ringfence.sock'));
  }

  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  async start(): Promise<void> {
    this.#spawn();
    const until = performance.now() + READY_MS;
    while (!(await this.client.running())) {
      this.#signal?.throwIfAborted();
      if (this.pid === undefined || performance.now() > until) throw this.#failure();
      await sleep(100);
    }
  }

  /**
   * In a session of its own, so that Ctrl-C reaches it in its turn. The kernel tells it when this process is gone, however that ended: nothing is left
   * behind.
   */
  #spawn(): void {
    const log = openSync(join(this.directory, 'log'), 'a', 0o600);
    try {
      const command = ['--pdeathsig', 'TERM', process.execPath, ...process.execArgv, ...this.#args];
      this.#child = spawn('setpriv', command, { stdio: ['ignore', log, log], detached: true });
      // Told by `start`, as of one that ended at once.
      this.#child.on('error', () => {});
    } finally {
      closeSync(log);
    }
  }

  #failure(): OperatorError {
    const said = readFileSync(join(this.directory, 'log'), 'utf8').trim().split('\n').slice(-8).join('\n');
    const why = this.pid === undefined ? 'ended at its start' : `did not answer within ${READY_MS / 1000} s`;
    return new OperatorError(`${this.name} ${why}; it said, in ${this.directory}/log:\n${said}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(killer);
  }
}
