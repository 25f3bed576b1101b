import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '@ringfence/config';
import { enrol } from '@ringfence/identity';
import { stringify } from 'yaml';
import { ApiClient } from '../api/client.ts';
import { roleOf } from '../app/fleet.ts';
import { CliError } from '../errors.ts';
import { loadHostId } from '../identity.ts';
import type { Servers } from './servers.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const READY_MS = 60_000;

export interface MemberOptions {
  readonly name: string;
  readonly services: readonly ServiceName[];
  /** settings beside those that every member has */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** names and addresses that it serves under */
  readonly hosts?: readonly string[];
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
  #registrar: { readonly member: Member; readonly url: string } | undefined;

  constructor(directory: string, servers: Servers) {
    this.#directory = directory;
    this.#servers = servers;
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
    await this.#enrol(options, member);
    await member.start();
    return member;
  }

  async #enrol({ name, services, hosts = [] }: MemberOptions, { directory }: Member): Promise<void> {
    const registrar = this.#registrar;
    if (registrar === undefined) throw new TypeError('the registrar comes first');
    const roles = services.map(roleOf);
    const query = new URLSearchParams({ role: roles.join(',') });
    for (const host of hosts) query.append('host', host);
    const { token } = await registrar.member.client.json<{ token: string }>(`/token?${query}`);
    const subject = roles.includes('agent') ? loadHostId(join(directory, 'state')) : name;
    await enrol({ token, registrar: registrar.url, subject, roles, directory: join(directory, 'state/identity') });
  }

  #add({ name, services, settings = {} }: MemberOptions): Member {
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
    const member = new ChildMember(name, services, directory, configFile);
    this.all.push(member);
    return member;
  }

  /** In the direction of the flow, so that what is on its way arrives. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.all.toReversed()) await member.stop();
  }
}

class ChildMember implements Member {
  readonly name: string;
  readonly services: readonly ServiceName[];
  readonly directory: string;
  readonly configFile: string;
  readonly client: ApiClient;
  #child: ChildProcess | undefined;

  constructor(name: string, services: readonly ServiceName[], directory: string, configFile: string) {
    this.name = name;
    this.services = services;
    this.directory = directory;
    this.configFile = configFile;
    this.client = new ApiClient(join(directory, 'run/ringfence.sock'));
  }

  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a', 0o600);
    const args = [...process.execArgv, MAIN, 'up', '--config', this.configFile];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    const until = performance.now() + READY_MS;
    while (!(await this.client.running())) {
      if (this.pid === undefined || performance.now() > until) throw this.#failure();
      await sleep(100);
    }
  }

  #failure(): CliError {
    const said = readFileSync(join(this.directory, 'log'), 'utf8').trim().split('\n').slice(-8).join('\n');
    const why = this.pid === undefined ? 'ended at its start' : `did not answer within ${READY_MS / 1000} s`;
    return new CliError(`${this.name} ${why}; it said, in ${this.directory}/log:\n${said}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.pid === undefined) return;
    const ended = once(this.#child as ChildProcess, 'exit');
    this.#child?.kill(signal);
    await ended;
  }
}
