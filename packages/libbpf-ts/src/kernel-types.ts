import { existsSync, readFileSync } from 'node:fs';

const KERNEL_TYPES = '/sys/kernel/btf/vmlinux';

/** Whether the kernel's types have a name. They are some 5 MB that are read when it is first asked, and kept as long as the function is; a kernel without types has none. */
export function kernelNames(): (name: string) => boolean {
  let types: Buffer | undefined;
  return (name) => {
    types ??= existsSync(KERNEL_TYPES) ? readFileSync(KERNEL_TYPES) : Buffer.alloc(0);
    return types.includes(`\0${name}\0`);
  };
}
