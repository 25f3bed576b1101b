import { readdirSync, readlinkSync } from 'node:fs';
import { ifReadable } from '@ringfence/host-kit';

const namespaceOf = (process: string): string | null => ifReadable(() => readlinkSync(`/proc/${process}/ns/mnt`));

/**
 * Returns a process in the mount namespace: the given one, or another one if that has ended. null: none is left. The
 * kernel gives numbers of namespaces again, so the caller compares the directories that it finds there.
 */
export function processWithMounts(process: string, namespace: string): string | null {
  if (namespaceOf(process) === namespace) return process;
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return others.find((name) => namespaceOf(name) === namespace) ?? null;
}
