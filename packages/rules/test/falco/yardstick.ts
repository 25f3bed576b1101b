import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, type EventView, eventKinds } from '@ringfence/schema';
import { compileRules, type RuleSet } from '../../src/rule-set.ts';

/** Rules of others to measure ourselves by: they are no part of this repository. */
const folder = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../../../shared/yardsticks');
const file = join(folder, 'falco/falco_rules.yaml');

/** Why they can't be used; false: they can. */
export const missing: string | false = existsSync(file) ? false : `no ${file}: RINGFENCE_YARDSTICKS names the folder`;

/** Falco's stable rules. */
export const stableRules = (): string => readFileSync(file, 'utf8');

export const compileStable = (): RuleSet<EventView> =>
  compileRules({ sources: [{ name: 'falco_rules.yaml', text: stableRules() }], catalogue, kinds: eventKinds });
