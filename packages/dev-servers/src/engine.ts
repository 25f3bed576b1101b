import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { cacheRoot, digest, saying } from './cache.ts';

const PING_TIMEOUT_MS = 250;
const LOOK_TIMEOUT_MS = 2000;
const PULL_TIMEOUT_MS = 90_000;
/** An image that couldn't be pulled is asked for again after this long: not by each test file. */
const FORGET_MS = 3_600_000;
const DEFAULT_SOCKET = '/var/run/docker.sock';

const said = new Set<string>();

function say(line: string): void {
  if (!said.has(line)) process.stderr.write(`testkit: ${line}\n`);
  said.add(line);
}

/** Of an engine on this machine, unless RINGFENCE_TESTKIT_CONTAINERS is `no`: its containers share the host's network and see this process's files. */
export function engineSocket(): string | undefined {
  if (process.env['RINGFENCE_TESTKIT_CONTAINERS'] === 'no') return undefined;
  const host = process.env['DOCKER_HOST'];
  if (host !== undefined && host !== '') return host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
  return existsSync(DEFAULT_SOCKET) ? DEFAULT_SOCKET : undefined;
}

/** The status of the answer; undefined when there is none in time. The whole answer is read: a pull ends with it. */
function call(options: RequestOptions, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = request({ ...options, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.once('error', () => resolve(undefined));
      response.once('end', () => resolve(response.statusCode)).resume();
    });
    asked.once('error', () => resolve(undefined)).end();
  });
}

async function holds(socketPath: string, image: string): Promise<boolean> {
  return (await call({ socketPath, path: `/images/${encodeURIComponent(image)}/json` }, LOOK_TIMEOUT_MS)) === 200;
}

/** What an engine says while it pulls is a stream of lines, with a 200 even when it fails: whether it is there is asked afterwards. */
async function pulls(socketPath: string, image: string): Promise<boolean> {
  const failed = join(cacheRoot(), `no-image-${digest(image)}`);
  if (existsSync(failed) && Date.now() - statSync(failed).mtimeMs < FORGET_MS) return false;
  const path = `/images/create?fromImage=${encodeURIComponent(image)}`;
  await saying(`pulling ${image}`, () => call({ socketPath, path, method: 'POST' }, PULL_TIMEOUT_MS));
  if (await holds(socketPath, image)) return true;
  mkdirSync(cacheRoot(), { recursive: true });
  writeFileSync(failed, '');
  return false;
}

/** The image when an engine answers and has it or can pull it; else undefined, and stderr says why. */
export async function usableImage(image: string): Promise<string | undefined> {
  const socketPath = engineSocket();
  if (socketPath === undefined) return undefined;
  if ((await call({ socketPath, path: '/_ping' }, PING_TIMEOUT_MS)) !== 200) {
    say(`no container engine answers on ${socketPath}: servers run from their own packages`);
    return undefined;
  }
  if ((await holds(socketPath, image)) || (await pulls(socketPath, image))) {
    say(`${image} runs in the container engine on ${socketPath}`);
    return image;
  }
  say(`${image} can't be pulled: it runs from its own packages`);
  return undefined;
}
