import { existsSync, readFileSync } from 'node:fs';

const KERNEL_TYPES = '/sys/kernel/btf/vmlinux';

/**
 * Returns a function that checks whether the kernel's BTF contains a name. It reads the types (about 5 MB) at its first
 * call and keeps them in memory. It returns false for every name on a kernel without BTF.
 */
export function kernelNames(): (name: string) => boolean {
  let types: Buffer | undefined;
  return (name) => {
    types ??= existsSync(KERNEL_TYPES) ? readFileSync(KERNEL_TYPES) : Buffer.alloc(0);
    return types.includes(`\0${name}\0`);
  };
}
