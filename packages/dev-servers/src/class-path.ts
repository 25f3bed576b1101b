import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { TestServerError } from './errors.ts';
import type { Java } from './java.ts';
import { findProgram, runTool } from './run-tool.ts';

/** Maven projects of the servers, with the Java classes that run in them. */
const PROJECTS = join(import.meta.dirname, '../java');
const PLUGINS = 'org.apache.maven.plugins';
const DEPENDENCY = `${PLUGINS}:maven-dependency-plugin:3.8.1`;
const JAR = `${PLUGINS}:maven-jar-plugin:3.4.2:jar`;
/** The Eclipse compiler: a Java runtime does not include one. */
const COMPILER = 'org.eclipse.jdt:ecj:3.43.0';

/** Returns the path of a file in the project `name`. */
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

/** Returns the reason why Maven cannot fetch files; undefined when it can. */
function mavenMissing(): string | undefined {
  return findProgram('mvn') === undefined ? 'no Maven to fetch its jars with: install maven' : undefined;
}

/** Returns the reason why the jars of this project are unavailable; undefined when they are available. */
export function classPathMissing(name: string): string | undefined {
  return inCache(name, keyOf(name)) === undefined ? mavenMissing() : undefined;
}

/** Runs Maven in `cwd`. Throws ERR_TESTKIT_MAVEN if it is not installed, ERR_TESTKIT_TOOL if it fails. */
async function maven(java: Java, cwd: string, ...args: readonly string[]): Promise<void> {
  const program = findProgram('mvn');
  if (program === undefined) throw new TestServerError('ERR_TESTKIT_MAVEN', mavenMissing() ?? '');
  const env = { ...process.env, JAVA_HOME: dirname(dirname(java.path)) };
  await runTool(program, ['-B', '-q', ...args], { env, cwd });
}

/** Fetches an artifact and unpacks it if requested. @param coordinates group:artifact:version[:type[:classifier]] */
export function artifact(name: string, coordinates: string, java: Java, goal: 'copy' | 'unpack'): Promise<string> {
  return cached(name, digest(coordinates), async (place) => {
    await maven(java, place, `${DEPENDENCY}:${goal}`, `-Dartifact=${coordinates}`, `-DoutputDirectory=${place}`);
    // Without a project, `unpack` keeps its markers in a directory that is literally named after a placeholder.
    await rm(join(place, `$\{project.basedir}`), { recursive: true, force: true });
  });
}

/** Returns the reason why this artifact is unavailable; undefined when it is available. */
export function artifactMissing(name: string, coordinates: string): string | undefined {
  return inCache(name, digest(coordinates)) === undefined ? mavenMissing() : undefined;
}

/** Compiles the project's classes into build/NAME-1.jar: a class archive covers jars only. */
async function compile(name: string, java: Java, place: string): Promise<void> {
  const compiler = await artifact('compiler', COMPILER, java, 'copy');
  const program = join(compiler, (await readdir(compiler))[0] ?? '');
  const build = join(place, 'build');
  const jars = (await readdir(place)).filter((file) => file.endsWith('.jar')).map((jar) => join(place, jar));
  const args = ['-21', '-nowarn', '-cp', jars.join(':'), '-d', join(build, 'classes'), ...sources(name)];
  await runTool(java.path, ['-cp', program, 'org.eclipse.jdt.internal.compiler.batch.Main', ...args]);
  await maven(java, place, '-f', projectFile(name, 'pom.xml'), JAR, `-DbuildDirectory=${build}`);
}

/**
 * Returns the jars of the project's pom.xml with their dependencies, and a jar of the project's classes. The first call
 * fetches and compiles them; later calls read the cache.
 */
export async function jarsOf(name: string, java: Java): Promise<readonly string[]> {
  const directory = await cached(name, keyOf(name), async (place) => {
    const pom = projectFile(name, 'pom.xml');
    await maven(
      java,
      place,
      '-f',
      pom,
      `${DEPENDENCY}:copy-dependencies`,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${place}`,
    );
    if (sources(name).length > 0) await compile(name, java, place);
  });
  const compiled = join(directory, 'build', `${name}-1.jar`);
  const jars = (await readdir(directory)).filter((file) => file.endsWith('.jar')).sort();
  return [...(existsSync(compiled) ? [compiled] : []), ...jars.map((jar) => join(directory, jar))];
}
