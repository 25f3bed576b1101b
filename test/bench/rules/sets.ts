import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOME } from '@ringfence/config';
import type { RuleSource } from '@ringfence/rules';
import { distinctRules } from './distinct.ts';

/** A set of rules to measure */
export interface RuleList {
  readonly name: string;
  readonly sources: readonly RuleSource[];
}

const STABLE = 'falco_rules.yaml';
const STAND_IN = fileURLToPath(new URL('falco-style.yaml', import.meta.url));
const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(HOME, '../shared/yardsticks');

/** Returns Falco's stable rules, or null when they are not available. */
export function falcoStable(folder: string | null): RuleList | null {
  const path = join(folder ?? join(yardsticks, 'falco'), STABLE);
  return existsSync(path) ? { name: "25 of Falco's, stable", sources: [read(path)] } : null;
}

/**
 * Returns all of Falco's rules in a folder. Without a folder, returns the stable rules and, for the rest, as many rules
 * of Ringfence in Falco's style; null when the stable rules are not available.
 */
export function falcoAll(folder: string | null): RuleList | null {
  if (folder !== null) return { name: `Falco's in ${folder}`, sources: filesOf(folder) };
  const stable = falcoStable(null);
  return stable && { name: '93: those and 68 of ours in their style', sources: [...stable.sources, read(STAND_IN)] };
}

export function builtin(): RuleList {
  return { name: 'all built-in', sources: filesOf(join(HOME, 'rules')) };
}

/** Returns rules of which no two have the same fields, operators and nesting. */
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
