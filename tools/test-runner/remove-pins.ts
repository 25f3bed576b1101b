import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const BPF_FS = '/sys/fs/bpf';

/**
 * Removes the pins of a killed test process from the BPF file system, by the prefix that tests give them. A sensor runs
 * until its pins are removed.
 */
export function removePins(pid: number): void {
  for (const name of pinNames())
    if (name.startsWith(`rf-test-${pid}-`)) rmSync(join(BPF_FS, name), { recursive: true });
}

function pinNames(): string[] {
  try {
    return readdirSync(BPF_FS);
  } catch (error) {
    // The file system is not mounted or the tests run without root: they cannot have pinned anything.
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
