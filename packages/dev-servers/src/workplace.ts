import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'ringfence-testkit-';
const mine = new Set<string>();
/** Servers of this process; at its end they are killed before their directories go. */
export const children: Set<ChildProcess> = new Set();

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What a killed process left behind; its servers died with it. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^ringfence-testkit-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) removeLeftover(join(tmpdir(), name));
  }
}

/** Another's leftover that can't be removed, such as one with something mounted in it, is no reason not to start a server. */
function removeLeftover(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    process.stderr.write(`testkit: ${directory} was left behind and stays: ${(error as Error).message}\n`);
  }
}

/** A directory for a server's data and log. It is removed by `removeWorkplace`, at the end of this process, or by the next process that starts a server. */
export function createWorkplace(what: string): string {
  if (mine.size === 0) sweep();
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${what}-`));
  mine.add(directory);
  return directory;
}

export function removeWorkplace(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  mine.delete(directory);
}

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of mine) removeWorkplace(directory);
});
