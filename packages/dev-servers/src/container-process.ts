import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerRuntimeClient } from 'testcontainers';
import { TestServerError } from './errors.ts';
import { type RunningServer, type ServerSpec, untilReady } from './server-process.ts';
import { isAlive } from './workplace.ts';

type Container = ReturnType<ContainerRuntimeClient['container']['getById']>;

interface Created {
  /** Descriptor of the FIFO that keeps the container running. */
  readonly fifo: number;
  readonly handle: Container;
}

/**
 * Runs the command with its output in the log. The process that started the container holds the write end of the FIFO:
 * when it ends for any reason, `cat` reads the end of the file and the container is killed.
 */
const SCRIPT = `
log=$1; alive=$2; shift 2
"$@" >>"$log" 2>&1 &
server=$!
(cat "$alive" >/dev/null; kill -9 $server) &
trap 'kill -TERM $server' TERM
wait $server; wait $server`;

const LABEL = 'ringfence.testkit';

function makeFifo(path: string): number {
  const { status, stderr } = spawnSync('mkfifo', [path], { encoding: 'utf8' });
  if (status !== 0) throw new TestServerError('ERR_TESTKIT_FIFO', `mkfifo ${path} failed: ${stderr}`);
  chmodSync(path, 0o644);
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

/** Removes the containers of processes that were killed. */
async function sweep({ dockerode }: ContainerRuntimeClient['container']): Promise<void> {
  for (const { Id, Labels } of await dockerode.listContainers({ all: true, filters: { label: [LABEL] } }))
    if (!isAlive(Number(Labels[LABEL]))) await dockerode.getContainer(Id).remove({ force: true });
}

/** Imports testcontainers lazily, because it is large. The FIFO replaces its reaper, which needs another image. */
async function create(spec: ServerSpec, image: string): Promise<Created> {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  // Containers use the host's network: testcontainers need not query the bridge for its gateway.
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1';
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const { container } = await getContainerRuntimeClient();
  await sweep(container);
  const directory = dirname(spec.log);
  const alive = join(directory, 'alive');
  const fifo = makeFifo(alive);
  const started = await new GenericContainer(image)
    .withNetworkMode('host')
    .withBindMounts([{ source: directory, target: directory, mode: 'rw' }])
    .withUser(`${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`)
    .withLabels({ [LABEL]: String(process.pid) })
    .withEnvironment({ ...spec.env })
    .withEntrypoint(['sh', '-c', SCRIPT, 'sh', spec.log, alive])
    .withCommand([...spec.command])
    .start();
  return { fifo, handle: container.getById(started.getId()) };
}

/** A server in a container that shares the host's network, and the directory of its log under the same path. */
export class ContainerProcess implements RunningServer {
  readonly #spec: ServerSpec;
  readonly #image: string;
  #container: Created | undefined;
  #pid: number | undefined;
  #logStart = 0;

  constructor(spec: ServerSpec, image: string) {
    this.#spec = spec;
    this.#image = image;
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  async start(): Promise<void> {
    if (this.#pid !== undefined)
      throw new TestServerError('ERR_TESTKIT_RUNNING', `${this.#spec.title} is running: stop it first`);
    writeFileSync(this.#spec.log, '', { flag: 'a' });
    this.#logStart = statSync(this.#spec.log).size;
    if (this.#container === undefined) this.#container = await create(this.#spec, this.#image);
    else await this.#container.handle.start();
    this.#pid = (await this.#container.handle.inspect()).State.Pid;
    await untilReady(this.#spec, {
      isRunning: () => this.#isRunning(),
      printed: () => readFileSync(this.#spec.log).subarray(this.#logStart).toString(),
      kill: () => this.stop('SIGKILL'),
    });
  }

  async #isRunning(): Promise<boolean> {
    return (await this.#container?.handle.inspect())?.State.Running === true;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#container === undefined || this.#pid === undefined) return;
    const { handle } = this.#container;
    const ended = handle.wait();
    if (await this.#isRunning()) await handle.kill({ signal });
    await ended;
    this.#pid = undefined;
  }

  signal(name: NodeJS.Signals): void {
    const handle = this.#container?.handle;
    const done =
      name === 'SIGSTOP' ? handle?.pause() : name === 'SIGCONT' ? handle?.unpause() : handle?.kill({ signal: name });
    // The caller does not wait for a signal: it observes the effect on the server.
    done?.catch((error: Error) => process.stderr.write(`testkit: ${this.#spec.title}: ${error.message}\n`));
  }

  /** Kills the server and removes its container. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    if (this.#container === undefined) return;
    await this.#container.handle.remove({ force: true });
    closeSync(this.#container.fifo);
  }
}
