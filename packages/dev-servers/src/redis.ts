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
  /** Syncs an append-only file before each reply, so that acknowledged writes survive a kill. */
  readonly durable?: boolean;
}

export interface RedisServer extends RunningServer, AsyncDisposable {
  /** redis://[:password@]127.0.0.1:port. */
  readonly url: string;
  readonly port: number;
  /** Deletes all keys (FLUSHALL). */
  flush(): Promise<void>;
}

const IMAGE = 'redis:8.2-alpine';

/** Returns the reason why Redis cannot be started; undefined when it can. */
export function redisMissing(): string | undefined {
  return program() === undefined && engineSocket() === undefined
    ? 'no redis-server: install redis (Debian: redis-tools holds the program)'
    : undefined;
}

/** Debian's redis-tools contains the server as redis-check-rdb: the program acts by the name that it is called by. */
function program(): string | undefined {
  return findProgram('redis-server', 'redis-check-rdb');
}

function settings(port: number, directory: string, options: RedisOptions): string[] {
  const aof = options.durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const password = options.password === undefined ? [] : ['--requirepass', options.password];
  // At its memory limit Redis must reject writes, never evict a job.
  const rules = ['--maxmemory-policy', 'noeviction', '--save', ''];
  return ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, ...rules, ...aof, ...password];
}

/** Returns the command of the server: its name in the container, else a link with that name. */
function serverCommand(image: string | undefined, directory: string): string {
  if (image !== undefined) return 'redis-server';
  const path = program();
  if (path === undefined) throw new TestServerError('ERR_TESTKIT_REDIS', `Redis was not started: ${redisMissing()}`);
  const link = join(directory, 'redis-server');
  symlinkSync(path, link);
  return link;
}

/** Starts a Redis on a free port of 127.0.0.1, without persistence unless `durable` is set. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const image = await usableImage(IMAGE);
  await using undo = new AsyncDisposableStack();
  const port = undo.use(await reservePorts(1)).ports[0]!;
  const directory = undo.adopt(createWorkplace('redis'), removeWorkplace);
  mkdirSync(join(directory, 'data'));
  const spec = {
    title: 'Redis',
    command: [serverCommand(image, directory), ...settings(port, join(directory, 'data'), options)],
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
    throw new TestServerError('ERR_TESTKIT_FLUSH', `Redis was not flushed: it replied ${answer}`);
  };
  const user = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  return withControls(server, {
    url: `redis://${user}127.0.0.1:${port}`,
    port,
    flush,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}
