import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { makeFolder } from '@ringfence/base';
import { applyPlan, brokersOf, planTopics, readActual, withAdmin } from '@ringfence/bus-kafka/topics';
import { type Config, loadConfig } from '@ringfence/config';
import { type Authority, createAuthority, createRequest, openAuthority } from '@ringfence/identity';
import { fleetTopics, kafkaOptionsOf } from '@ringfence/runtime/fleet';
import { type MemberOptions, Members, type SimulatedOptions } from './members.ts';
import { type Servers, startServers } from './servers.ts';

export interface DevFleetOptions {
  /** everything is kept below it */
  readonly directory: string;
  readonly brokers: 1 | 3;
  /** of each service that can be several */
  readonly copies: number;
  /** watch this machine with an agent of its own; needs root */
  readonly agent: boolean;
  /** more settings of the agent */
  readonly agentSettings?: Readonly<Record<string, unknown>>;
  /** beside this machine; they exist only in their events. @default none */
  readonly simulated?: Omit<SimulatedOptions, 'settings'>;
  /** ends a start, too */
  readonly signal?: AbortSignal;
  readonly onStep: (what: string) => void;
}

/** A whole fleet on one machine: every service a process of its own. */
export interface DevFleet extends AsyncDisposable {
  readonly servers: Servers;
  readonly members: Members;
  /** settings of somebody who may read and change everything on the brokers */
  readonly adminConfig: Config;
}

export async function startDevFleet(options: DevFleetOptions): Promise<DevFleet> {
  const { directory, brokers, copies, agent, signal } = options;
  const onStep = (what: string): void => {
    signal?.throwIfAborted();
    options.onStep(what);
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
  const adminConfig = await adminOf(directory, authority, servers);
  await makeTopics(adminConfig);
  const members = stack.use(new Members(directory, servers, signal));
  onStep('registrar');
  await members.registrar(await freePort(), authorityPath);
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
  if (agent) {
    const settings = { control: { endpoints }, sensor: { pinPath: pinPathOf(directory) }, ...options.agentSettings };
    joining.push({ name: 'agent', services: ['collector'], settings });
  }
  onStep(joining.map(({ name }) => name).join(', '));
  // In any order: each waits for what it needs.
  await Promise.all(joining.map((one) => members.join(one)));
  const { simulated } = options;
  if (simulated !== undefined && simulated.count > 0) {
    onStep(`${simulated.count} simulated hosts`);
    await members.simulate({ ...simulated, settings: { control: { endpoints } } });
  }
  const resources = stack.move();
  return { servers, members, adminConfig, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Beside those of a ringfence that watches this machine already; the same at the next start, which then takes over what is left. */
const pinPathOf = (directory: string): string => `/sys/fs/bpf/ringfence-fleet-${hash('sha256', directory).slice(0, 8)}`;

/** Settings and a certificate for whoever makes the topics. */
export async function adminOf(directory: string, authority: Authority, { kafka }: Servers): Promise<Config> {
  const { key, csr } = await createRequest('admin');
  const { certificate } = await authority.issue({ csr, subject: 'admin', roles: [], days: 30 });
  const place = join(directory, 'admin');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const files = { ca: join(place, 'ca.pem'), cert: join(place, 'tls.pem'), key: join(place, 'tls.key') };
  writeFileSync(files.ca, authority.certificate);
  writeFileSync(files.cert, certificate);
  writeFileSync(files.key, key, { mode: 0o600 });
  const file = join(place, 'ringfence.yaml');
  const bus = { driver: 'kafka', kafka: { brokers: kafka.bootstrap, tls: { enabled: true, ...files } } };
  writeFileSync(file, JSON.stringify({ stateDir: place, runDir: place, bus }, null, 2));
  return loadConfig({ file, flags: [] });
}

export async function makeTopics(config: Config): Promise<void> {
  await withAdmin(kafkaOptionsOf(config), async (admin) => {
    const desired = fleetTopics(config, await brokersOf(admin));
    await applyPlan(admin, planTopics(desired, await readActual(admin, desired)), () => {});
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
