import { readFileSync } from 'node:fs';
import { BpfLoadError, BpfObject } from '@ringfence/libbpf-ts';
import { FullProfile, hookOf } from '@ringfence/sensor';
import { familyOfFull } from './families.ts';
import { type HookState, problemOf } from './hooks.ts';

/** Trampolines and kprobes at a function's beginning are the function tracer's. */
const FTRACE = '/proc/sys/kernel/ftrace_enabled';
const FIX = 'sysctl -w kernel.ftrace_enabled=1';

/** Each hook of the full profile, by the best way that this kernel has to it; it is attached for a moment. */
export function probeFull(objectPath: string): HookState[] {
  const profile = FullProfile.probe(objectPath);
  using object = load(objectPath, profile);
  const programs = [...object.programs.values()].filter(({ loaded }) => loaded);
  const attached = programs.map(({ name, section }) => {
    const problem = problemOf(() => object.program(name).attach()[Symbol.dispose]());
    return stateOf(hookOf(name), section, problem?.text);
  });
  return [
    onFunctions(profile),
    ...attached,
    ...[...profile.missingHooks].map(([hook, why]) => stateOf(hook, 'full profile', why)),
  ];
}

/** Programs of system calls around the kernel's functions, not on tracepoints. */
function onFunctions({ tracepointReason }: FullProfile): HookState {
  const loses = 'every system call of the machine, watched or not, takes some 50 ns longer';
  return {
    ...stateOf('system calls', 'fexit', tracepointReason),
    sees: 'system calls at no cost to the others',
    loses,
  };
}

function stateOf(hook: string, section: string, why: string | undefined): HookState {
  const family = familyOfFull(hook);
  const fix = why === undefined ? '' : fixOf();
  return {
    program: hook,
    section,
    profile: 'full',
    sees: family?.sees ?? hook,
    loses: family?.full?.loses ?? 'what it says is as the caller wrote it, and marked',
    problem: fix === '' ? null : (why ?? null),
    fix,
    absent: why !== undefined && fix === '',
  };
}

/** A kernel that was built without trampolines and kprobes is no worse for it than another version would be: nothing is broken. */
function fixOf(): string {
  try {
    return readFileSync(FTRACE, 'utf8').trim() === '0' ? FIX : '';
  } catch {
    return '';
  }
}

function load(path: string, profile: FullProfile): BpfObject {
  for (;;) {
    const object = BpfObject.open(path);
    for (const definition of object.definitions.values()) if (definition.type === 'ringbuf') definition.resize(4096);
    for (const program of object.programs.values()) program.autoload = profile.programs.has(program.name);
    try {
      return object.load();
    } catch (error) {
      object[Symbol.dispose]();
      if (!(error instanceof BpfLoadError) || !profile.reject(error.program ?? '', error.message)) throw error;
    }
  }
}
