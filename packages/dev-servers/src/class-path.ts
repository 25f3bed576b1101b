import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { TestServerError } from './errors.ts';
import type { Java } from './java.ts';
import { findProgram, runTool } from './run-tool.ts';

/** Beside src: what each server is made of, as a Maven project, and what of ours runs with it. */
const PROJECTS = join(import.meta.dirname, '../java');
const PLUGINS = 'org.apache.maven.plugins';
const DEPENDENCY = `${PLUGINS}:maven-dependency-plugin:3.8.1`;
const JAR = `${PLUGINS}:maven-jar-plugin:3.4.2:jar`;
/** A Java runtime has no compiler of its own. */
const COMPILER = 'org.eclipse.jdt:ecj:3.43.0';

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

/** Why what Maven fetches can't be had when it isn't in the cache; undefined when it can. */
function mavenMissing(): string | undefined {
  return findProgram('mvn') === undefined ? 'no Maven to fetch its jars with: install maven' : undefined;
}

/** Why the jars of this project can't be had; undefined when they can. */
export function classPathMissing(name: string): string | undefined {
  return inCache(name, keyOf(name)) === undefined ? mavenMissing() : undefined;
}

/** @param cwd where it leaves what it leaves. @throws ERR_TESTKIT_MAVEN when it isn't there, ERR_TESTKIT_TOOL when it fails */
async function maven(java: Java, cwd: string, ...args: readonly string[]): Promise<void> {
  const program = findProgram('mvn');
  if (program === undefined) throw new TestServerError('ERR_TESTKIT_MAVEN', mavenMissing() ?? '');
  const env = { ...process.env, JAVA_HOME: dirname(dirname(java.path)) };
  await runTool(program, ['-B', '-q', ...args], { env, cwd });
}

/** One artifact, unpacked when it is an archive. @param coordinates group:artifact:version[:type[:classifier]] */
export function artifact(name: string, coordinates: string, java: Java, goal: 'copy' | 'unpack'): Promise<string> {
  return cached(name, digest(coordinates), async (place) => {
    await maven(java, place, `${DEPENDENCY}:${goal}`, `-Dartifact=${coordinates}`, `-DoutputDirectory=${place}`);
    // Without a project `unpack` takes the name of its directory, where it keeps marks, for the directory.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what it is called.
    await rm(join(place, '${project.basedir}'), { recursive: true, force: true });
  });
}

/** Why this artifact can't be had; undefined when it can. */
export function artifactMissing(name: string, coordinates: string): string | undefined {
  return inCache(name, digest(coordinates)) === undefined ? mavenMissing() : undefined;
}

/** Our classes, into build/NAME-1.jar: an archive of classes is made for jars only. */
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
 * The jars that the project's pom.xml names and what those need, and its own classes as one more; fetched and compiled at the first call, from then on
 * from the cache.
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
  const own = join(directory, 'build', `${name}-1.jar`);
  const jars = (await readdir(directory)).filter((file) => file.endsWith('.jar')).sort();
  return [...(existsSync(own) ? [own] : []), ...jars.map((jar) => join(directory, jar))];
}
