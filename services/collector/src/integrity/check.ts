/** Something that is not as an untouched kernel or host has it. */
export interface Finding {
  readonly check: CheckName;
  /** what it is about: a module, a path, a process, a system call */
  readonly subject: string;
  /** what is wrong with it, in words */
  readonly detail: string;
}

/** What each check looks for. */
export const CHECKS = {
  'syscall-dispatch': 'system calls lead into the kernel’s own code',
  'interrupt-table': 'interrupts and exceptions lead into the kernel’s own code',
  'function-hooks': 'no ftrace or kprobe hook sits on the entry of a system call',
  'hidden-module': 'every module is in the list of modules',
  'hidden-process': 'every process is in /proc',
  'bpf-program': 'every loaded BPF program is known',
  taint: 'no module was forced in, came unsigned, or from outside of the kernel’s tree',
  preload: 'no library is put into every program by ld.so.preload',
  'core-pattern': 'core dumps go where the system’s own files say',
  helper: 'the programs that the kernel starts are the system’s own',
  'release-agent': 'no cgroup starts a program when it is empty',
} as const;
export type CheckName = keyof typeof CHECKS;

export interface CheckResult {
  readonly check: CheckName;
  /** Why it could not be looked at, or only in part; empty: it was, all of it. */
  readonly unseen: string;
  readonly findings: readonly Finding[];
}

/** What one look remembers for the next. */
export interface Remembered {
  /** code is compared within one boot only: it lies elsewhere in the next */
  readonly bootId: string;
  /** SHA-256 of code, by what it belongs to */
  readonly code: Readonly<Record<string, string>>;
  /** values that nobody changes without a reason, by path */
  readonly values: Readonly<Record<string, string>>;
}

export const result = (
  check: CheckName,
  found: readonly (readonly [subject: string, detail: string])[],
  unseen = '',
): CheckResult => ({ check, unseen, findings: found.map(([subject, detail]) => ({ check, subject, detail })) });
