import { kernelNames } from './kernel-types.ts';

/** The type of a program whose section name libbpf 1.1 does not know. */
export interface NewerHook {
  /** enum bpf_prog_type */
  readonly type: number;
  /** enum bpf_attach_type (include/uapi/linux/bpf.h) */
  readonly attachType: number;
  /** name of the attach type in the BTF of kernels that support it */
  readonly name: string;
}

const CGROUP_SOCK_ADDR = 18;
/** Keyed by section name. */
const HOOKS: ReadonlyMap<string, NewerHook> = new Map([
  ['cgroup/connect_unix', { type: CGROUP_SOCK_ADDR, attachType: 49, name: 'BPF_CGROUP_UNIX_CONNECT' }], // Linux 6.7
]);
const cache = new Map<string, boolean>();

export const newerHook = (section: string): NewerHook | undefined => HOOKS.get(section);

/** Checks the kernel's BTF for the attach type, because an object fails to load if the kernel refuses a program. */
export function kernelKnows({ name }: NewerHook): boolean {
  const found = cache.get(name) ?? kernelNames()(name);
  cache.set(name, found);
  return found;
}
