import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable, readBounded } from '../files.ts';
import { type CheckResult, result } from './check.ts';
import type { Symbols } from './symbols.ts';

const TEXT_MAX = 4 << 20;
/** What has symbols and is no module: kinds of generated code (kernel/kallsyms.c). */
const GENERATED = /^(bpf|__builtin__)/;

/** A module takes itself out of the list and leaves its directory in sysfs, or its symbols, behind; or the other way round. */
export function checkModules(symbols: Symbols, root = '/'): CheckResult {
  const text = ifReadable(() => readBounded(join(root, 'proc/modules'), TEXT_MAX));
  const listed = new Set((text?.toString('latin1') ?? '').split('\n').map((line) => line.split(' ')[0] ?? ''));
  const directory = join(root, 'sys/module');
  // What is built in has a directory too, and no state.
  const inSysfs = (ifReadable(() => readdirSync(directory)) ?? []).filter((name) =>
    existsSync(join(directory, name, 'initstate')),
  );
  const withSymbols = symbols.modules.filter((name) => !GENERATED.test(name));
  const hidden = (names: readonly string[], where: string) =>
    names.filter((name) => !listed.has(name)).map((name) => [name, `${where}, and is not in /proc/modules`] as const);
  const found = [...hidden(inSysfs, 'it is in /sys/module'), ...hidden(withSymbols, 'it has symbols')];
  const unseen = text === null && inSysfs.length > 0 ? 'there is no /proc/modules' : '';
  return result('hidden-module', unseen === '' ? found : [], unseen);
}
