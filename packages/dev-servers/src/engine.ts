import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { cacheRoot, digest, logIfSlow } from './cache.ts';

const PING_TIMEOUT_MS = 250;
const LOOK_TIMEOUT_MS = 2000;
const PULL_TIMEOUT_MS = 90_000;
/** Pause before a failed pull is repeated, so that not every test file repeats it. */
const PULL_RETRY_MS = 3_600_000;
const DEFAULT_SOCKET = '/var/run/docker.sock';

const logged = new Set<string>();

function logOnce(line: string): void {
  if (!logged.has(line)) process.stderr.write(`testkit: ${line}\n`);
  logged.add(line);
}

/**
 * Returns the socket of a container engine on this machine, unless RINGFENCE_TESTKIT_CONTAINERS is `no`. Containers of
 * a remote engine could not share the host's network and files.
 */
export function engineSocket(): string | undefined {
  if (process.env['RINGFENCE_TESTKIT_CONTAINERS'] === 'no') return undefined;
  const host = process.env['DOCKER_HOST'];
  if (host !== undefined && host !== '') return host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
  return existsSync(DEFAULT_SOCKET) ? DEFAULT_SOCKET : undefined;
}

/** Returns the status of the response; undefined on a timeout. Reads the whole response: a pull ends with it. */
function call(options: RequestOptions, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const outgoing = request({ ...options, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.once('error', () => resolve(undefined));
      response.once('end', () => resolve(response.statusCode)).resume();
    });
    outgoing.once('error', () => resolve(undefined)).end();
  });
}

async function hasImage(socketPath: string, image: string): Promise<boolean> {
  return (await call({ socketPath, path: `/images/${encodeURIComponent(image)}/json` }, LOOK_TIMEOUT_MS)) === 200;
}

/** Pulls an image. The engine responds with 200 even if the pull fails, so check for the image afterwards. */
async function pull(socketPath: string, image: string): Promise<boolean> {
  const failed = join(cacheRoot(), `no-image-${digest(image)}`);
  if (existsSync(failed) && Date.now() - statSync(failed).mtimeMs < PULL_RETRY_MS) return false;
  const path = `/images/create?fromImage=${encodeURIComponent(image)}`;
  await logIfSlow(`pulling ${image}`, () => call({ socketPath, path, method: 'POST' }, PULL_TIMEOUT_MS));
  if (await hasImage(socketPath, image)) return true;
  mkdirSync(cacheRoot(), { recursive: true });
  writeFileSync(failed, '');
  return false;
}

/** Returns the image if an engine has it or can pull it; else logs the reason to stderr and returns undefined. */
export async function usableImage(image: string): Promise<string | undefined> {
  const socketPath = engineSocket();
  if (socketPath === undefined) return undefined;
  if ((await call({ socketPath, path: '/_ping' }, PING_TIMEOUT_MS)) !== 200) {
    logOnce(`no container engine answers on ${socketPath}: servers run from packages`);
    return undefined;
  }
  if ((await hasImage(socketPath, image)) || (await pull(socketPath, image))) {
    logOnce(`${image} runs in the container engine on ${socketPath}`);
    return image;
  }
  logOnce(`${image} can't be pulled: its server runs from packages`);
  return undefined;
}
