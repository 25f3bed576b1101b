import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hold } from './held-name.ts';

const SAY_AFTER_MS = 2000;

/** Where class paths and archives are kept between runs: `RINGFENCE_TESTKIT_CACHE`, else below the user's cache directory. */
export function cacheRoot(): string {
  const own = process.env['RINGFENCE_TESTKIT_CACHE'];
  if (own) return resolve(own);
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ringfence-testkit');
}

export function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Says on stderr what is being done, once it has taken two seconds. */
export async function saying<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  let said = false;
  const timer = setTimeout(() => {
    said = true;
    process.stderr.write(`testkit: ${what} …\n`);
  }, SAY_AFTER_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (said) process.stderr.write(`testkit: ${what}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }
}

/** A directory that is in the cache, whole. */
export function inCache(name: string, key: string): string | undefined {
  const directory = join(cacheRoot(), `${name}-${key}`);
  return existsSync(directory) ? directory : undefined;
}

/**
 * The directory `name` made from what `key` stands for; `make` fills it when it isn't there. It is made aside and moved into place, so what is
 * there is whole, and one process at a time makes it.
 */
export async function cached(name: string, key: string, make: (directory: string) => Promise<void>): Promise<string> {
  const found = inCache(name, key);
  if (found !== undefined) return found;
  const root = cacheRoot();
  const target = join(root, `${name}-${key}`);
  return saying(`making ${name} (kept in ${root})`, async () => {
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
