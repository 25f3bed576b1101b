import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, digest, inCache } from './cache.ts';
import { findProgram, runTool } from './run-tool.ts';

/** An exporter of the OpenTelemetry collector takes ten minutes on two busy cores, its downloads included. */
const BUILD_TIMEOUT_MS = 20 * 60_000;
/** Go modules of ours, each with one program. */
const MODULES = join(import.meta.dirname, '../go');

/** A program of a Go module, built once into the cache. */
export interface GoProgram {
  readonly name: string;
  /** Oldest minor version of Go 1 that its modules ask for */
  readonly goMinor: number;
  /** Hash of the sources, or of the module with its version: a changed program is built again */
  readonly key: string;
  /** Returns the arguments of `go` that write the program into `place`, and the folder to run it in. */
  readonly build: (place: string) => { readonly args: readonly string[]; readonly cwd: string };
}

/** A published program. @param module path@version of its main package */
export const goModule = (name: string, module: string, goMinor: number): GoProgram => ({
  name,
  goMinor,
  key: digest(module),
  build: (place) => ({ args: ['install', module], cwd: place }),
});

/** A program of ours, in go/NAME. */
export function goSource(name: string, goMinor: number): GoProgram {
  const cwd = join(MODULES, name);
  return {
    name,
    goMinor,
    key: digest(...['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(cwd, file)))),
    build: (place) => ({ args: ['build', '-mod=readonly', '-o', join(place, name), '.'], cwd }),
  };
}

/** Returns the reason why the program can't be built; undefined when it can, or when it is in the cache. */
export function goProgramMissing({ name, key, goMinor }: GoProgram): string | undefined {
  if (inCache(name, key) !== undefined) return undefined;
  const go = findProgram('go');
  const minor =
    go === undefined ? 0 : Number(/go1\.(\d+)/.exec(execFileSync(go, ['version'], { encoding: 'utf8' }))?.[1]);
  return minor >= goMinor ? undefined : `no Go 1.${goMinor} or newer to build ${name} with: install golang`;
}

/** Returns the path of the program. The first call builds it, which takes minutes. */
export async function goProgram({ name, key, build }: GoProgram): Promise<string> {
  const directory = await cached(name, key, async (place) => {
    const { args, cwd } = build(place);
    await runTool('nice', ['go', ...args], { cwd, env: { ...process.env, GOBIN: place }, timeoutMs: BUILD_TIMEOUT_MS });
  });
  return join(directory, name);
}
