import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { TestServerError } from './errors.ts';
import type { Java } from './java.ts';
import { findProgram, runTool } from './run-tool.ts';

/** Beside src: what each server is made of, as a Maven project, and what of ours runs with it. */
const PROJECTS = join(import.meta.dirname, '../../java');
const PLUGINS = 'org.apache.maven.plugins';
const COMPILE = [`${PLUGINS}:maven-compiler-plugin:3.14.0:compile`, `${PLUGINS}:maven-jar-plugin:3.4.2:jar`];
const COPY = `${PLUGINS}:maven-dependency-plugin:3.8.1:copy-dependencies`;

/** The file in which the project `name` says what its server logs, and where to. */
export function projectFile(name: string, file: string): string {
  return join(PROJECTS, name, file);
}

function sources(name: string): string[] {
  const root = projectFile(name, 'src');
  if (!existsSync(root)) return [];
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

function keyOf(name: string): string {
  return digest(...[projectFile(name, 'pom.xml'), ...sources(name)].map((path) => readFileSync(path)));
}

/** Why the jars of this project can't be had; undefined when they can. */
export function classPathMissing(name: string): string | undefined {
  if (inCache(name, keyOf(name)) !== undefined || findProgram('mvn') !== undefined) return undefined;
  return 'no Maven to fetch its jars with: install maven';
}

/**
 * The jars that the project's pom.xml names and what those need, and its own classes as one more; fetched and compiled at the first call, from then on
 * from the cache.
 */
export async function jarsOf(name: string, java: Java): Promise<readonly string[]> {
  const directory = await cached(name, keyOf(name), async (place) => {
    const maven = findProgram('mvn');
    if (maven === undefined) throw new TestServerError('ERR_TESTKIT_MAVEN', `${name}: ${classPathMissing(name)}`);
    const goals = sources(name).length > 0 ? [...COMPILE, COPY] : [COPY];
    const places = [`-DbuildDirectory=${join(place, 'build')}`, `-DoutputDirectory=${place}`];
    const env = { JAVA_HOME: dirname(dirname(java.path)) };
    await runTool(
      maven,
      ['-B', '-q', '-f', projectFile(name, 'pom.xml'), '-DincludeScope=runtime', ...places, ...goals],
      {
        env: { ...process.env, ...env },
      },
    );
  });
  const own = join(directory, 'build', `${name}-1.jar`);
  const jars = (await readdir(directory)).filter((file) => file.endsWith('.jar')).sort();
  return [...(existsSync(own) ? [own] : []), ...jars.map((jar) => join(directory, jar))];
}
