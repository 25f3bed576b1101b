import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable, readBounded } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';
import type { Symbols } from './symbols.ts';

const TEXT_MAX = 16 << 20;
/** Names in kallsyms that are not modules, but kinds of generated code (kernel/kallsyms.c). */
const GENERATED = /^(bpf|__builtin__)/;

/**
 * Finds modules that are missing from /proc/modules. A module that removes itself from that list leaves traces: its
 * directory in sysfs, its symbols, or its functions in ftrace's list.
 */
export function checkModules(symbols: Symbols, root = '/'): CheckResult {
  const before = readModuleList(root);
  const directory = join(root, 'sys/module');
  // Built-in modules have a directory too, but no state.
  const inSysfs = (ifReadable(() => readdirSync(directory)) ?? []).filter((name) =>
    existsSync(join(directory, name, 'initstate')),
  );
  const tracedModules = modulesInFtrace(root);
  // Reads the list again, because a module may have been loaded meanwhile.
  const after = readModuleList(root);
  const traces = [
    [inSysfs, 'it is in /sys/module'],
    [ofModules(symbols.modules), 'it has symbols'],
    [ofModules(tracedModules), 'its functions can be traced'],
  ] as const;
  const found = new Map<string, string>();
  for (const [names, trace] of traces)
    for (const name of names)
      if (!before?.has(name) && !after?.has(name) && !found.has(name))
        found.set(name, `${trace}, but it is not in /proc/modules`);
  const unseen = before === null && inSysfs.length > 0 ? 'there is no /proc/modules' : '';
  return result('hidden-module', unseen === '' ? [...found] : [], unseen);
}

const read = (path: string): string | null => ifReadable(() => readBounded(path, TEXT_MAX))?.toString('latin1') ?? null;

/** Returns the names of the listed modules, or null if this kernel has no modules. */
function readModuleList(root: string): ReadonlySet<string> | null {
  const text = read(join(root, 'proc/modules'));
  return text === null ? null : new Set(text.split('\n').map((line) => line.split(' ')[0] ?? ''));
}

/** Returns the names of the modules whose functions ftrace knows; none if tracefs is not mounted. */
function modulesInFtrace(root: string): readonly string[] {
  const text = read(join(root, 'sys/kernel/tracing/available_filter_functions')) ?? '';
  return [...new Set([...text.matchAll(/\[([^\]\n]+)\]$/gm)].map(([, name = '']) => name))];
}

const ofModules = (names: readonly string[]): readonly string[] => names.filter((name) => !GENERATED.test(name));
