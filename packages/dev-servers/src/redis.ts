import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerProcess } from './container-process.ts';
import { engineSocket, usableImage } from './engine.ts';
import { TestServerError } from './errors.ts';
import { reservePorts } from './ports.ts';
import { ask } from './probe.ts';
import { findProgram } from './run-tool.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

export interface RedisOptions {
  readonly password?: string;
  /** append-only file, written before each answer: what was acknowledged outlives a kill */
  readonly durable?: boolean;
}

export interface RedisServer extends RunningServer, AsyncDisposable {
  /** redis://[:password@]127.0.0.1:port */
  readonly url: string;
  readonly port: number;
  /** Empties it (FLUSHALL). */
  flush(): Promise<void>;
}

const IMAGE = 'redis:8.2-alpine';

/** Why Redis can't be started; undefined when it can. */
export function redisMissing(): string | undefined {
  return program() === undefined && engineSocket() === undefined
    ? 'no redis-server: install redis (Debian: redis-tools holds the program)'
    : undefined;
}

/** In Debian's redis-tools the server is there under the name of one of its tools; it is what it is called. */
function program(): string | undefined {
  return findProgram('redis-server', 'redis-check-rdb');
}

function settings(port: number, directory: string, options: RedisOptions): string[] {
  const aof = options.durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const password = options.password === undefined ? [] : ['--requirepass', options.password];
  // Filled to its limit it must refuse, never forget a job.
  const rules = ['--maxmemory-policy', 'noeviction', '--save', ''];
  return ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, ...rules, ...aof, ...password];
}

/** How the server is called here: in the container by its name, else by a link of that name. */
function nameIt(image: string | undefined, directory: string): string {
  if (image !== undefined) return 'redis-server';
  const path = program();
  if (path === undefined) throw new TestServerError('ERR_TESTKIT_REDIS', `Redis was not started: ${redisMissing()}`);
  const link = join(directory, 'redis-server');
  symlinkSync(path, link);
  return link;
}

/** A Redis of its own on a free port of 127.0.0.1, without persistence unless asked for. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const image = await usableImage(IMAGE);
  await using undo = new AsyncDisposableStack();
  const port = undo.use(await reservePorts(1)).ports[0]!;
  const directory = undo.adopt(createWorkplace('redis'), removeWorkplace);
  mkdirSync(join(directory, 'data'));
  const spec = {
    title: 'Redis',
    command: [nameIt(image, directory), ...settings(port, join(directory, 'data'), options)],
    log: join(directory, 'log'),
    isReady: async () => /PONG|NOAUTH/.test((await ask(port, 'PING\r\nQUIT\r\n')) ?? ''),
  };
  const server = image === undefined ? new ServerProcess(spec) : new ContainerProcess(spec, image);
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  const login = options.password === undefined ? '' : `AUTH ${JSON.stringify(options.password)}\r\n`;
  const flush = async () => {
    const answer = await ask(port, `${login}FLUSHALL\r\nQUIT\r\n`);
    if (answer !== undefined && !/^-/m.test(answer)) return;
    throw new TestServerError('ERR_TESTKIT_FLUSH', `Redis was not flushed: it said ${answer}`);
  };
  const user = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  return withControls(server, {
    url: `redis://${user}127.0.0.1:${port}`,
    port,
    flush,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}
