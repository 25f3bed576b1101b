import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaCluster, RedisServer, SearchServer } from '@ringfence/dev-servers';
import type { TestCa } from '@ringfence/dev-servers/in-process';
import { type Authority, createRequest } from '@ringfence/identity';

/** Servers of a fleet on this machine. */
export interface Servers extends AsyncDisposable {
  readonly kafka: KafkaCluster;
  readonly redis: RedisServer;
  readonly search: SearchServer;
}

export interface ServersOptions {
  readonly brokers: 1 | 3;
  readonly authority: Authority;
  /** Clients reach each broker through a proxy that can fail. @default false */
  readonly proxied?: boolean;
  /** Compiled as in production, for benches. @default false */
  readonly optimized?: boolean;
  /** Called with the name of each server before it starts. */
  readonly onStep: (server: string) => void;
}

/**
 * All agents share a principal; a service has its own, known by its unit (OU), so no agent can pass for a service and
 * no service for an administrator. Brokers and administrators have certificates without a unit; their principal is the
 * name.
 */
export const PRINCIPAL_RULES =
  'RULE:^CN=[^,]+,OU=agent$/agent/,RULE:^CN=([^,]+),OU=.*$/service:$1/,RULE:^CN=([^,]+).*$/$1/';
const SUPER_USERS = 'User:ANONYMOUS;User:admin';

/** Starts brokers with mutual TLS and access lists. They end with this process, even when it is killed. */
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

/** Under the load of a bench, circuit breakers would refuse requests with the 512 MiB that tests use. */
const LOADED_HEAP_MB = 1024;

/** Starts real servers, from containers or packages. They end with this process, even when it is killed. */
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

/** Adapts the fleet's authority to the interface by which testkit requests certificates for brokers. */
function asTestCa(authority: Authority): TestCa {
  const issue: TestCa['issue'] = async (name, { hosts = ['localhost', '127.0.0.1'] } = {}) => {
    const { key, csr } = await createRequest(name);
    const { certificate } = await authority.issue({ csr, subject: name, roles: [], hosts, days: 30 });
    return { key, certificate };
  };
  return {
    certificate: readFileSync(join(authority.directory, 'ca.pem'), 'utf8'),
    issue,
    issueExpired: () => Promise.reject(new Error('the authority of a fleet issues no expired certificates')),
  };
}
