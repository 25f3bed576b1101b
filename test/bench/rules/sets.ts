import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOME } from '@ringfence/config';
import type { RuleSource } from '@ringfence/rules';
import { distinctRules } from './distinct.ts';

/** Rules that are measured together. */
export interface RuleList {
  readonly name: string;
  readonly sources: readonly RuleSource[];
}

const STABLE = 'falco_rules.yaml';
const STAND_IN = fileURLToPath(new URL('falco-style.yaml', import.meta.url));
const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(HOME, '../shared/yardsticks');

/** Falco's stable rules; null: they are not here. */
export function falcoStable(folder: string | null): RuleList | null {
  const path = join(folder ?? join(yardsticks, 'falco'), STABLE);
  return existsSync(path) ? { name: "25 of Falco's, stable", sources: [read(path)] } : null;
}

/** All of Falco's that are in a folder; without one, the stable rules and as many of ours in their style as the others are. */
export function falcoAll(folder: string | null): RuleList | null {
  if (folder !== null) return { name: `Falco's in ${folder}`, sources: filesOf(folder) };
  const stable = falcoStable(null);
  return stable && { name: '93: those and 68 of ours in their style', sources: [...stable.sources, read(STAND_IN)] };
}

export function builtin(): RuleList {
  return { name: 'all built-in', sources: filesOf(join(HOME, 'rules')) };
}

/** No two have the same fields, operators and nesting. */
export function distinct(count: number): RuleList {
  return {
    name: `${count.toLocaleString('en')} distinct`,
    sources: [{ name: 'distinct.yaml', text: distinctRules(count) }],
  };
}

function filesOf(folder: string): RuleSource[] {
  const names = readdirSync(folder).filter((name) => /(?<!\.test)\.ya?ml$/.test(name));
  return names.sort().map((name) => read(join(folder, name)));
}

function read(path: string): RuleSource {
  return { name: path, text: readFileSync(path, 'utf8') };
}
