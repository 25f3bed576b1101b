import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaCluster, RedisServer, SearchServer, TestCa } from '@ringfence/dev-servers';
import { type Authority, createRequest } from '@ringfence/identity';

/** What a fleet needs beside its own services, on this machine. */
export interface Servers extends AsyncDisposable {
  readonly kafka: KafkaCluster;
  readonly redis: RedisServer;
  readonly search: SearchServer;
}

export interface ServersOptions {
  readonly brokers: 1 | 3;
  readonly authority: Authority;
  /** clients reach each broker through a proxy that can fail. @default false */
  readonly proxied?: boolean;
  /** compiled as in production, for benches. @default false */
  readonly optimized?: boolean;
  /** told which one is being started */
  readonly onStep: (what: string) => void;
}

/**
 * To the brokers, who has enrolled is what the unit (OU) of its certificate says: no agent can pass for a service, whatever its name. Brokers and
 * administrators have certificates without one.
 */
export const PRINCIPAL_RULES = 'RULE:^.*OU=([a-z]+).*$/$1/,RULE:^CN=([^,]+).*$/$1/';
const SUPER_USERS = 'User:ANONYMOUS;User:admin';

/** Brokers with mutual TLS and access lists. They end with this process, however it ends. */
export async function startBrokers(options: Omit<ServersOptions, 'onStep'>): Promise<KafkaCluster> {
  const { brokers, authority, proxied = false, optimized = false } = options;
  const { startKafka } = await import('@ringfence/dev-servers');
  return startKafka({
    brokers,
    proxied,
    optimized,
    security: 'mtls',
    ca: asTestCa(authority),
    settings: { 'ssl.principal.mapping.rules': PRINCIPAL_RULES, 'super.users': SUPER_USERS },
  });
}

/** With the default of a test (512 MiB) Elasticsearch's breakers refuse what a bench offers, and all of it is looked up and sent again. */
const LOADED_HEAP_MB = 1024;

/** Real servers, by whatever way this machine has them. They end with this process, however it ends. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { brokers, optimized = false, onStep } = options;
  const { startElasticsearch, startRedis } = await import('@ringfence/dev-servers');
  await using stack = new AsyncDisposableStack();
  onStep(`Kafka: ${brokers === 1 ? 'a broker' : `${brokers} brokers`} with mutual TLS and access lists`);
  const kafka = stack.use(await startBrokers(options));
  onStep('Redis');
  const redis = stack.use(await startRedis({ durable: true }));
  onStep('Elasticsearch');
  const search = stack.use(await startElasticsearch(optimized ? { optimized, heapMb: LOADED_HEAP_MB } : {}));
  const resources = stack.move();
  return { kafka, redis, search, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** The authority of the fleet as the brokers' start asks for certificates. */
function asTestCa(authority: Authority): TestCa {
  const issue: TestCa['issue'] = async (name, { hosts = ['localhost', '127.0.0.1'] } = {}) => {
    const { key, csr } = await createRequest(name);
    const { certificate } = await authority.issue({ csr, subject: name, roles: [], hosts, days: 30 });
    return { key, certificate };
  };
  return {
    certificate: readFileSync(join(authority.directory, 'ca.pem'), 'utf8'),
    issue,
    issueExpired: () => Promise.reject(new Error('an authority in use issues nothing that has expired')),
  };
}
