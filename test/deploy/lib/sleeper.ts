import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineEnvironment } from './engine-files.ts';

const SOURCE =
  '#include <stdlib.h>\n#include <unistd.h>\nint main(int c, char **v) { return usleep(1000 * atoi(v[c - 1])); }\n';

/**
 * Creates the root file system of a container with one static program, which sleeps for the given number of
 * milliseconds. Returns the path of the program in the container, which is unique to this test process.
 */
export function makeSleeper(rootfs: string): string {
  const path = `/sleeper-${process.pid}`;
  mkdirSync(rootfs, { recursive: true });
  const source = join(rootfs, 'sleeper.c');
  writeFileSync(source, SOURCE);
  execFileSync('cc', ['-static', '-O1', '-o', join(rootfs, path), source]);
  rmSync(source);
  return path;
}

/** Runs a program that must succeed, without blocking. */
export async function runConcurrently(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const child = spawn(file, args, { env: { ...engineEnvironment(), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors = (errors + text.toString('utf8')).slice(-4096);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${code}: ${errors}`);
}
