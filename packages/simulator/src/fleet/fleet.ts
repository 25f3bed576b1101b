import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { makeFolder } from '@ringfence/base';
import { applyPlan, brokersOf, planTopics, readActual, withAdmin } from '@ringfence/bus-kafka/topics';
import { type Config, loadConfig } from '@ringfence/config';
import { type Authority, createAuthority, createRequest, openAuthority } from '@ringfence/identity';
import { fleetTopics, kafkaOptionsOf } from '@ringfence/runtime/fleet';
import { type MemberOptions, Members, type SimulationOptions } from './members.ts';
import { type Servers, startServers } from './servers.ts';

export interface DevFleetOptions {
  /** Has all files of the fleet. */
  readonly directory: string;
  readonly brokers: 1 | 3;
  /** Processes of each service, except for the registrar. */
  readonly copies: number;
  /** Run an agent that watches this machine; needs root. */
  readonly agent: boolean;
  /** Further settings of that agent. */
  readonly agentSettings?: Readonly<Record<string, unknown>>;
  /** Files of sinks, or folders of them: forwarders send to these. @default none, and no forwarder runs */
  readonly sinks?: readonly string[];
  /** Hosts that exist only in their events. @default none */
  readonly simulated?: Omit<SimulationOptions, 'settings'>;
  /** Aborts the start. */
  readonly signal?: AbortSignal;
  /** Called with the name of each part before it starts. */
  readonly onStep: (part: string) => void;
}

/** A whole fleet on one machine: every service is a process of its own. */
export interface DevFleet extends AsyncDisposable {
  readonly servers: Servers;
  readonly members: Members;
  /** Settings with all rights on the brokers. */
  readonly adminConfig: Config;
}

export async function startDevFleet(options: DevFleetOptions): Promise<DevFleet> {
  const { directory, brokers, copies, agent, sinks = [], signal } = options;
  const onStep = (part: string): void => {
    signal?.throwIfAborted();
    options.onStep(part);
  };
  makeFolder(directory, 0o700);
  await using stack = new AsyncDisposableStack();
  onStep('the certificate authority of the fleet');
  const authorityPath = join(directory, 'authority');
  const authority = existsSync(join(authorityPath, 'ca.pem'))
    ? await openAuthority(authorityPath)
    : await createAuthority(authorityPath);
  const servers = stack.use(await startServers({ brokers, authority, onStep }));
  onStep('topics and access lists');
  const adminConfig = await createAdminConfig(directory, authority, servers);
  await createTopics(adminConfig);
  const members = stack.use(new Members(directory, servers, signal));
  onStep('registrar');
  await members.startRegistrar(await freePort(), authorityPath);
  const numbered = (name: string): string[] => Array.from({ length: copies }, (_, i) => `${name}-${i + 1}`);
  const endpoints = await Promise.all(numbered('responder').map(async () => `127.0.0.1:${await freePort()}`));
  const joining: MemberOptions[] = [
    ...numbered('auditor').map((name) => ({ name, services: ['auditor'] as const })),
    ...numbered('enricher').map((name) => ({ name, services: ['enricher'] as const })),
    ...numbered('detector').map((name) => ({ name, services: ['detector'] as const })),
    ...numbered('responder').map((name, i) => ({
      name,
      services: ['responder'] as const,
      hosts: ['127.0.0.1'],
      settings: { control: { listen: endpoints[i] } },
    })),
  ];
  if (sinks.length > 0)
    for (const name of numbered('forwarder'))
      joining.push({ name, services: ['forwarder'], settings: { forwarder: { sinks } } });
  if (agent) {
    const settings = { control: { endpoints }, sensor: { pinPath: pinPathOf(directory) }, ...options.agentSettings };
    joining.push({ name: 'agent', services: ['collector'], settings });
  }
  onStep(joining.map(({ name }) => name).join(', '));
  // In parallel: each process waits for the servers and records that it needs.
  await Promise.all(joining.map((member) => members.join(member)));
  const { simulated } = options;
  if (simulated !== undefined && simulated.count > 0) {
    onStep(`${simulated.count} simulated hosts`);
    await members.simulate({ ...simulated, settings: { control: { endpoints } } });
  }
  const resources = stack.move();
  return { servers, members, adminConfig, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Differs from the path of an agent that already watches this machine, and stays the same for the next start. */
const pinPathOf = (directory: string): string => `/sys/fs/bpf/ringfence-fleet-${hash('sha256', directory).slice(0, 8)}`;

/** Issues a certificate with all rights on the brokers, and writes and loads settings with it. */
export async function createAdminConfig(directory: string, authority: Authority, { kafka }: Servers): Promise<Config> {
  const { key, csr } = await createRequest('admin');
  const { certificate } = await authority.issue({ csr, subject: 'admin', roles: [], days: 30 });
  const adminDirectory = join(directory, 'admin');
  mkdirSync(adminDirectory, { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => join(adminDirectory, name);
  const files = { ca: pathOf('ca.pem'), cert: pathOf('tls.pem'), key: pathOf('tls.key') };
  writeFileSync(files.ca, authority.certificate);
  writeFileSync(files.cert, certificate);
  writeFileSync(files.key, key, { mode: 0o600 });
  const file = pathOf('ringfence.yaml');
  const bus = { driver: 'kafka', kafka: { brokers: kafka.bootstrap, tls: { enabled: true, ...files } } };
  writeFileSync(file, JSON.stringify({ stateDir: adminDirectory, runDir: adminDirectory, bus }, null, 2));
  return loadConfig({ file, flags: [] });
}

/** Creates the topics and access lists of the fleet. */
export async function createTopics(config: Config): Promise<void> {
  await withAdmin(kafkaOptionsOf(config), async (admin) => {
    const desired = fleetTopics(config, await brokersOf(admin));
    await applyPlan(admin, planTopics(desired, await readActual(admin, desired)), () => {});
  });
}

/** Returns a port of 127.0.0.1 that no process listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
