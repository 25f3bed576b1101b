import { existsSync } from 'node:fs';
import type { Log } from '@ringfence/base';

/** The reason why a hook is not attached. */
export interface MissingHook {
  readonly reason: string;
  /** true if this kernel lacks what the hook attaches to, so that nothing that the hook would report can happen */
  readonly absent: boolean;
}

/** Facilities that a kernel can be built without, by the sections of their programs. */
const FACILITIES: readonly (readonly [section: RegExp, name: string])[] = [
  [/_module$|^raw_tp\/module_/, 'kernel modules'],
  [/_kexec_(file_)?load$/, 'kexec'],
  [/\/io_uring_|_io_uring_/, 'io_uring'],
];
const SYSTEM_CALL = /^tracepoint\/syscalls\/sys_(?:enter|exit)_(\w+)$/;
const TRACEPOINT = /^(?:tracepoint|raw_tp)\//;
/** Lists every system call of the kernel. Does not exist if tracefs is not mounted. */
const SYSTEM_CALLS = '/sys/kernel/tracing/events/syscalls';

/** Returns whether attaching a program failed because this kernel has no such tracepoint. */
export function isAbsent(section: string, errnoName: string | undefined): boolean {
  return errnoName === 'ENOENT' && TRACEPOINT.test(section) && existsSync(SYSTEM_CALLS);
}

/** Names what the programs of these sections observe: each facility once, otherwise the system call or tracepoint. */
function namesOf(sections: readonly string[]): string[] {
  const names = sections.map((section) => {
    const facility = FACILITIES.find(([pattern]) => pattern.test(section))?.[1];
    const call = SYSTEM_CALL.exec(section)?.[1];
    return facility ?? (call === undefined ? section : `system call ${call}`);
  });
  return [...new Set(names)];
}

/**
 * Logs the missing hooks: one line for all hooks whose facility this kernel lacks, and a warning for each other reason.
 * @param missing by the name of the program
 */
export function logMissingHooks(
  missing: ReadonlyMap<string, MissingHook>,
  sectionOf: (program: string) => string,
  log: Pick<Log, 'info' | 'warn'>,
): void {
  const absent = [...missing].filter(([, hook]) => hook.absent).map(([program]) => program);
  if (absent.length > 0) {
    const names = namesOf(absent.map(sectionOf));
    log.info({ hooks: absent.length }, `not seen, because this kernel does not have it: ${names.join(', ')}`);
  }
  const problems = [...missing].filter(([, hook]) => !hook.absent);
  // A reason begins with the hook's name and ends with the kernel's error, which many hooks can share.
  for (const hooks of Map.groupBy(problems, ([, { reason }]) => reason.split(': ').at(-1)).values()) {
    const reason = hooks[0]?.[1].reason;
    log.warn({ hooks: hooks.map(([program]) => program), reason }, 'hooks are missing: their events are not seen');
  }
}
