import { kernelNames } from './kernel-types.ts';

/** What a program is that libbpf 1.1 can't tell by its section. */
export interface NewerHook {
  /** enum bpf_prog_type */
  readonly type: number;
  /** enum bpf_attach_type (include/uapi/linux/bpf.h) */
  readonly attachType: number;
  /** its name, which the types of a kernel that knows it have */
  readonly name: string;
}

const CGROUP_SOCK_ADDR = 18;
/** by section */
const HOOKS: ReadonlyMap<string, NewerHook> = new Map([
  ['cgroup/connect_unix', { type: CGROUP_SOCK_ADDR, attachType: 49, name: 'BPF_CGROUP_UNIX_CONNECT' }], // Linux 6.7
]);
const known = new Map<string, boolean>();

export const newerHook = (section: string): NewerHook | undefined => HOOKS.get(section);

/** By the kernel's types: one program that it refuses would keep it from loading the object. */
export function kernelKnows({ name }: NewerHook): boolean {
  const found = known.get(name) ?? kernelNames()(name);
  known.set(name, found);
  return found;
}
