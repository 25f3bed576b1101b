import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { findProgram, runTool } from './run-tool.ts';

/** Returns the reason why a Debian package can't be unpacked here; undefined when it can, or is in the cache. */
export function debianMissing(name: string): string | undefined {
  if (inCache(name, digest(name)) !== undefined) return undefined;
  const hasTools = findProgram('apt-get') !== undefined && findProgram('dpkg-deb') !== undefined;
  return hasTools ? undefined : `no ${name}: it comes from a Debian package, and apt-get is missing`;
}

/** Returns the folder into which a Debian package is unpacked: installing it would start its service. */
export function debianPackage(name: string): Promise<string> {
  return cached(name, digest(name), async (place) => {
    const download = (): Promise<string> => runTool('apt-get', ['download', '-q', name], { cwd: place });
    await download().catch(async () => {
      await runTool('apt-get', ['update', '-q']);
      await download();
    });
    for (const file of await readdir(place)) await runTool('dpkg-deb', ['-x', join(place, file), place]);
  });
}
