import { randomUUID } from 'node:crypto';
import { createConnection, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { TestServerError } from './errors.ts';
import { startKafka } from './kafka.ts';
import { startRedis } from './redis.ts';
import { startRegistry } from './registry.ts';
import { startElasticsearch, startOpenSearch } from './search.ts';

/** Set by whoever hosts shared servers, for the processes it starts: the abstract Unix socket they are asked for on. */
const VARIABLE = 'RINGFENCE_TESTKIT_SHARED';

/** What the processes that share a server need to know of it. */
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
    if (!isName(name)) throw new Error(`nothing is shared under the name ${name}`);
    socket.end(JSON.stringify(await startOnce(name)));
  } catch (error) {
    socket.end(JSON.stringify({ error: (error as Error).message }));
  }
}

/**
 * Owns the servers that the test files of one run share: each is started when a process started by this one first asks for it, and ends with this one
 * or when what is returned is disposed of.
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
    for (const one of await Promise.allSettled(Object.values(started)))
      if (one.status === 'fulfilled') await one.value.server[Symbol.asyncDispose]();
  };
  return { [Symbol.asyncDispose]: dispose };
}

/** Asks the host for it; without one, this process starts its own, which ends with it. */
async function shared<N extends Name>(name: N): Promise<Shared[N]> {
  const address = process.env[VARIABLE];
  if (address === undefined) return startOnce(name);
  const socket = createConnection({ path: `\0${address}` });
  socket.end(`${name}\n`);
  const facts: Shared[N] & { readonly error?: string } = JSON.parse(await text(socket));
  if (facts.error === undefined) return facts;
  throw new TestServerError('ERR_TESTKIT_SHARED', `the shared ${name} can't be had: ${facts.error}`);
}

/** One broker for all test files of a run: name your topics so that no other file has them. */
export function sharedKafka(): Promise<Shared['kafka']> {
  return shared('kafka');
}

/** One Redis for all test files of a run: prefix your keys, and never flush it. */
export function sharedRedis(): Promise<Shared['redis']> {
  return shared('redis');
}

/** One Elasticsearch for all test files of a run: name your indices, streams and templates so that no other file has them. */
export function sharedElasticsearch(): Promise<Shared['elasticsearch']> {
  return shared('elasticsearch');
}

/** One OpenSearch for all test files of a run, under the same rule. */
export function sharedOpenSearch(): Promise<Shared['opensearch']> {
  return shared('opensearch');
}

/** One schema registry for all test files of a run: name your subjects so that no other file has them. */
export function sharedRegistry(): Promise<Shared['registry']> {
  return shared('registry');
}
