import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'ringfence-testkit-';
const directories = new Set<string>();
/** Servers of this process. At its end they are killed before their directories are removed. */
export const children: Set<ChildProcess> = new Set();

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes the directories of killed processes, whose servers ended with them. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^ringfence-testkit-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) removeLeftover(join(tmpdir(), name));
  }
}

/** Removes a directory of another process. A failure, such as a mount in the directory, must not prevent a start. */
function removeLeftover(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    process.stderr.write(`testkit: leftover ${directory} cannot be removed: ${(error as Error).message}\n`);
  }
}

/**
 * Creates a directory for a server's data and log. `removeWorkplace` removes it, or the end of this process, or the
 * next process that starts a server.
 */
export function createWorkplace(name: string): string {
  if (directories.size === 0) sweep();
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${name}-`));
  directories.add(directory);
  return directory;
}

export function removeWorkplace(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  directories.delete(directory);
}

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) removeWorkplace(directory);
});
