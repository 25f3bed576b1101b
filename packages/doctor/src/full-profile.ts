import { readFileSync } from 'node:fs';
import { BpfLoadError, BpfObject } from '@ringfence/libbpf-ts';
import { FullProfile, hookOf } from '@ringfence/sensor';
import { fullFamilyOf } from './hook-families.ts';
import { type HookState, problemOf, RING_BYTES } from './hooks.ts';

/** Trampolines, and kprobes at the start of a function, need the function tracer. */
const FTRACE = '/proc/sys/kernel/ftrace_enabled';
const ENABLE_FTRACE = 'sysctl -w kernel.ftrace_enabled=1';

/** Loads each hook of the full profile in the best way that this kernel offers, and attaches it for a moment. */
export function probeFull(objectPath: string): HookState[] {
  const profile = FullProfile.probe(objectPath);
  using object = load(objectPath, profile);
  const programs = [...object.programs.values()].filter(({ loaded }) => loaded);
  const attached = programs.map(({ name, section }) => {
    const problem = problemOf(() => object.program(name).attach()[Symbol.dispose]());
    return stateOf(hookOf(name), section, problem?.text);
  });
  return [
    systemCallState(profile),
    ...attached,
    ...[...profile.missingHooks].map(([hook, reason]) => stateOf(hook, 'full profile', reason)),
  ];
}

/** Whether programs of system calls attach to kernel functions instead of tracepoints. */
function systemCallState({ tracepointReason }: FullProfile): HookState {
  const loses = 'every system call of the machine takes about 50 ns longer, whether it is watched or not';
  return {
    ...stateOf('system calls', 'fexit', tracepointReason),
    sees: 'system calls, without slowing down others',
    loses,
  };
}

/** @param reason why the hook is not available; undefined when it is */
function stateOf(hook: string, section: string, reason: string | undefined): HookState {
  const family = fullFamilyOf(hook);
  const fix = reason === undefined ? '' : fixOf();
  return {
    program: hook,
    section,
    profile: 'full',
    sees: family?.sees ?? hook,
    loses: family?.full?.loses ?? 'texts come from the memory of the caller, and are marked so',
    problem: fix === '' ? null : (reason ?? null),
    fix,
    absent: reason !== undefined && fix === '',
  };
}

/** Returns '' when no command helps: a kernel built without trampolines and kprobes lacks the hooks. */
function fixOf(): string {
  try {
    return readFileSync(FTRACE, 'utf8').trim() === '0' ? ENABLE_FTRACE : '';
  } catch {
    return '';
  }
}

/** Loads the object; when the kernel refuses a program, tries again with the next way to its hook. */
function load(path: string, profile: FullProfile): BpfObject {
  for (;;) {
    const object = BpfObject.open(path);
    for (const map of object.definitions.values()) if (map.type === 'ringbuf') map.resize(RING_BYTES);
    for (const program of object.programs.values()) program.autoload = profile.programs.has(program.name);
    try {
      return object.load();
    } catch (error) {
      object[Symbol.dispose]();
      if (!(error instanceof BpfLoadError) || !profile.reject(error.program ?? '', error.message)) throw error;
    }
  }
}
