import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const BPF_FS = '/sys/fs/bpf';

/** Takes away what a process of tests that was killed has left in the bpf file system, by the name that tests give: a sensor runs as long as its pins are there. */
export function removePins(pid: number): void {
  for (const name of pinned()) if (name.startsWith(`rf-test-${pid}-`)) rmSync(join(BPF_FS, name), { recursive: true });
}

function pinned(): string[] {
  try {
    return readdirSync(BPF_FS);
  } catch (error) {
    // Not mounted, or not root's tests: then nothing was pinned.
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
