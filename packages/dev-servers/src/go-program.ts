import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { findProgram, runTool } from './run-tool.ts';

/** A program of a Go module, built once into the cache. */
export interface GoProgram {
  readonly name: string;
  /** Minor version of Go 1 that its module asks for */
  readonly goMinor: number;
  /** What its build depends on, such as module@version */
  readonly key: string;
  /** Returns the arguments of `go`, which writes the program into the folder `place`, and the folder to run it in. */
  readonly build: (place: string) => { readonly args: readonly string[]; readonly cwd: string };
}

/** Returns a program that `go install` builds. @param module path@version of its main package */
export const goModule = (name: string, module: string, goMinor: number): GoProgram => ({
  name,
  goMinor,
  key: module,
  build: (place) => ({ args: ['install', module], cwd: place }),
});

/** Returns the reason why the program can't be built; undefined when it can, or when it is in the cache. */
export function goProgramMissing({ name, key, goMinor }: GoProgram): string | undefined {
  if (inCache(name, digest(key)) !== undefined) return undefined;
  const go = findProgram('go');
  const minor =
    go === undefined ? 0 : Number(/go1\.(\d+)/.exec(execFileSync(go, ['version'], { encoding: 'utf8' }))?.[1]);
  return minor >= goMinor ? undefined : `no Go 1.${goMinor} or newer to build ${name} with: install golang`;
}

/** Returns the path of the program. The first call builds it, which takes minutes. */
export async function goProgram({ name, key, build }: GoProgram): Promise<string> {
  const directory = await cached(name, digest(key), async (place) => {
    const { args, cwd } = build(place);
    await runTool('nice', ['go', ...args], { cwd, env: { ...process.env, GOBIN: place } });
  });
  return join(directory, name);
}
