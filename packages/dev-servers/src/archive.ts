import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached, digest } from './cache.ts';
import { TestServerError } from './errors.ts';
import type { Java } from './java.ts';

/** Since this version an archive holds linked classes (AOT cache); older versions archive loaded classes. */
const AOT_SINCE = 25;

/** A server of a test needs little compilation and garbage collection. The archive is valid for these flags only. */
const FLAGS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * Returns flags that halve the start time of a Java server. The first call creates the archive: `train` must start the
 * server once with the flags it receives, and end it with SIGTERM.
 */
export async function javaFlags(
  name: string,
  java: Java,
  jars: readonly string[],
  train: (flags: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  const aot = java.major >= AOT_SINCE;
  const key = digest(java.path, java.version, ...FLAGS, ...jars);
  const directory = await cached(`${name}-archive`, key, async (place) => {
    const file = join(place, 'archive');
    await train([...FLAGS, aot ? `-XX:AOTCacheOutput=${file}` : `-XX:ArchiveClassesAtExit=${file}`]);
    if (!existsSync(file))
      throw new TestServerError('ERR_TESTKIT_ARCHIVE', `${java.path} wrote no class archive of ${name}`);
  });
  const file = join(directory, 'archive');
  return [...FLAGS, aot ? `-XX:AOTCache=${file}` : `-XX:SharedArchiveFile=${file}`];
}
