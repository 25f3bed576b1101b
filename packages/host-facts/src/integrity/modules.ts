import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable, readBounded } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';
import type { Symbols } from './symbols.ts';

const TEXT_MAX = 16 << 20;
/** What has symbols and is no module: kinds of generated code (kernel/kallsyms.c). */
const GENERATED = /^(bpf|__builtin__)/;

/**
 * A module takes itself out of the list and leaves its directory in sysfs, its symbols, or its functions in ftrace's list behind; or the other way round.
 */
export function checkModules(symbols: Symbols, root = '/'): CheckResult {
  const before = listed(root);
  const directory = join(root, 'sys/module');
  // What is built in has a directory too, and no state.
  const inSysfs = (ifReadable(() => readdirSync(directory)) ?? []).filter((name) =>
    existsSync(join(directory, name, 'initstate')),
  );
  const functions = traceable(root);
  // one that has been loaded meanwhile is no find
  const after = listed(root);
  const places = [
    [inSysfs, 'it is in /sys/module'],
    [ofModules(symbols.modules), 'it has symbols'],
    [ofModules(functions), 'its functions can be traced'],
  ] as const;
  const found = new Map<string, string>();
  for (const [names, where] of places)
    for (const name of names)
      if (!before?.has(name) && !after?.has(name) && !found.has(name))
        found.set(name, `${where}, and is not in /proc/modules`);
  const unseen = before === null && inSysfs.length > 0 ? 'there is no /proc/modules' : '';
  return result('hidden-module', unseen === '' ? [...found] : [], unseen);
}

const read = (path: string): string | null => ifReadable(() => readBounded(path, TEXT_MAX))?.toString('latin1') ?? null;

/** Names of modules as everybody sees them; null: this kernel has none. */
function listed(root: string): ReadonlySet<string> | null {
  const text = read(join(root, 'proc/modules'));
  return text === null ? null : new Set(text.split('\n').map((line) => line.split(' ')[0] ?? ''));
}

/** Names of the modules whose functions ftrace knows; none where tracefs is not mounted. */
function traceable(root: string): readonly string[] {
  const text = read(join(root, 'sys/kernel/tracing/available_filter_functions')) ?? '';
  return [...new Set([...text.matchAll(/\[([^\]\n]+)\]$/gm)].map(([, name = '']) => name))];
}

const ofModules = (names: readonly string[]): readonly string[] => names.filter((name) => !GENERATED.test(name));
