import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hold } from './held-name.ts';

const LOG_AFTER_MS = 2000;

/** Directory of class paths and archives: `RINGFENCE_TESTKIT_CACHE`, else below the user's cache directory. */
export function cacheRoot(): string {
  const configured = process.env['RINGFENCE_TESTKIT_CACHE'];
  if (configured) return resolve(configured);
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ringfence-testkit');
}

export function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Logs the title to stderr if the work takes longer than two seconds, and the duration at its end. */
export async function logIfSlow<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  let logged = false;
  const timer = setTimeout(() => {
    logged = true;
    process.stderr.write(`testkit: ${title} …\n`);
  }, LOG_AFTER_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (logged) process.stderr.write(`testkit: ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }
}

/** Returns a complete directory of the cache; undefined when it does not exist. */
export function inCache(name: string, key: string): string | undefined {
  const directory = join(cacheRoot(), `${name}-${key}`);
  return existsSync(directory) ? directory : undefined;
}

/**
 * Returns the cached directory of `name` and `key`; `make` fills it if it does not exist. It is made under a temporary
 * name and then renamed, so that an existing directory is complete. Only one process makes it at a time.
 */
export async function cached(name: string, key: string, make: (directory: string) => Promise<void>): Promise<string> {
  const found = inCache(name, key);
  if (found !== undefined) return found;
  const root = cacheRoot();
  const target = join(root, `${name}-${key}`);
  return logIfSlow(`making ${name} (kept in ${root})`, async () => {
    await using _ = await hold(`cache/${digest(target)}`);
    if (existsSync(target)) return target;
    await mkdir(root, { recursive: true });
    const aside = `.${name}-${key}.`;
    for (const left of await readdir(root)) if (left.startsWith(aside)) await rm(join(root, left), { recursive: true });
    const place = join(root, `${aside}${randomUUID()}`);
    try {
      await mkdir(place);
      await make(place);
      await rename(place, target);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
    return target;
  });
}
