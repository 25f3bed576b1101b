import { randomUUID } from 'node:crypto';
import { createConnection, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { TestServerError } from './errors.ts';
import { startKafka } from './kafka.ts';
import { startRedis } from './redis.ts';
import { startRegistry } from './registry.ts';
import { startElasticsearch, startOpenSearch } from './search.ts';

/** Name of the host's abstract Unix socket. The host of shared servers sets it for the processes that it starts. */
const VARIABLE = 'RINGFENCE_TESTKIT_SHARED';

/** Facts that processes need to use a shared server. */
interface Shared {
  readonly kafka: { readonly bootstrap: readonly string[] };
  readonly redis: { readonly url: string; readonly port: number };
  readonly elasticsearch: { readonly url: string };
  readonly opensearch: { readonly url: string };
  readonly registry: { readonly url: string };
}

type Name = keyof Shared;

interface Started<N extends Name> {
  readonly facts: Shared[N];
  readonly server: AsyncDisposable;
}

const STARTERS: { readonly [N in Name]: () => Promise<Started<N>> } = {
  kafka: async () => {
    const server = await startKafka({ heapMb: 512 });
    return { server, facts: { bootstrap: server.bootstrap } };
  },
  redis: async () => {
    const server = await startRedis();
    return { server, facts: { url: server.url, port: server.port } };
  },
  elasticsearch: async () => {
    const server = await startElasticsearch();
    return { server, facts: { url: server.url } };
  },
  opensearch: async () => {
    const server = await startOpenSearch();
    return { server, facts: { url: server.url } };
  },
  registry: async () => {
    const server = await startRegistry();
    return { server, facts: { url: server.url } };
  },
};

const started: { [N in Name]?: Promise<Started<N>> } = {};

async function startOnce<N extends Name>(name: N): Promise<Shared[N]> {
  started[name] ??= STARTERS[name]() as (typeof started)[N];
  return (await (started[name] as Promise<Started<N>>)).facts;
}

function isName(name: string): name is Name {
  return Object.hasOwn(STARTERS, name);
}

async function answer(socket: Socket): Promise<void> {
  const name = (await text(socket)).trim();
  try {
    if (!isName(name)) throw new Error(`no shared server is named ${name}`);
    socket.end(JSON.stringify(await startOnce(name)));
  } catch (error) {
    socket.end(JSON.stringify({ error: (error as Error).message }));
  }
}

/**
 * Hosts the servers that the test files of one run share. A server is started on the first request of a child process,
 * and ends with this process or when the returned object is disposed of.
 */
export async function hostSharedServers(): Promise<AsyncDisposable> {
  const address = `ringfence-testkit/shared/${randomUUID()}`;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    answer(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(`\0${address}`, resolve));
  server.unref();
  process.env[VARIABLE] = address;
  const dispose = async () => {
    delete process.env[VARIABLE];
    server.close();
    for (const result of await Promise.allSettled(Object.values(started)))
      if (result.status === 'fulfilled') await result.value.server[Symbol.asyncDispose]();
  };
  return { [Symbol.asyncDispose]: dispose };
}

/** Requests a server from the host. Without a host, this process starts a server that ends with it. */
async function shared<N extends Name>(name: N): Promise<Shared[N]> {
  const address = process.env[VARIABLE];
  if (address === undefined) return startOnce(name);
  const socket = createConnection({ path: `\0${address}` });
  socket.end(`${name}\n`);
  const facts: Shared[N] & { readonly error?: string } = JSON.parse(await text(socket));
  if (facts.error === undefined) return facts;
  throw new TestServerError('ERR_TESTKIT_SHARED', `the shared ${name} is unavailable: ${facts.error}`);
}

/** Returns the broker of all test files of a run. Topics need names that no other file uses. */
export function sharedKafka(): Promise<Shared['kafka']> {
  return shared('kafka');
}

/** Returns the Redis of all test files of a run. Prefix your keys, and never flush it. */
export function sharedRedis(): Promise<Shared['redis']> {
  return shared('redis');
}

/** Returns the Elasticsearch of all test files of a run. Indices and templates need names that no other file uses. */
export function sharedElasticsearch(): Promise<Shared['elasticsearch']> {
  return shared('elasticsearch');
}

/** Returns the OpenSearch of all test files of a run. Indices and templates need names that no other file uses. */
export function sharedOpenSearch(): Promise<Shared['opensearch']> {
  return shared('opensearch');
}

/** Returns the schema registry of all test files of a run. Subjects need names that no other file uses. */
export function sharedRegistry(): Promise<Shared['registry']> {
  return shared('registry');
}
