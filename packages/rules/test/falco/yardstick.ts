import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, eventKinds } from '@ringfence/fields';
import type { EventView } from '@ringfence/wire';
import type { RuleSource } from '../../src/diagnostics/report.ts';
import { compileRules, type RuleSet } from '../../src/rule-set.ts';

/** Rule files of other projects to compare with; they are not part of this repository. */
const folder = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../../../shared/yardsticks');
const STABLE = 'falco_rules.yaml';
const file = join(folder, 'falco', STABLE);

/** The reason to skip; false: the files are present. */
export const missing: string | false = existsSync(file) ? false : `no ${file}: RINGFENCE_YARDSTICKS names the folder`;

/** Falco's stable rules. */
export const stableRules = (): string => readFileSync(file, 'utf8');

export const compileStable = (): RuleSet<EventView> =>
  compileRules({ sources: [{ name: STABLE, text: stableRules() }], catalogue, kinds: eventKinds });

/** Falco's other rule files in the same folder: incubating, sandbox, … */
export const otherFiles: readonly RuleSource[] = missing
  ? []
  : readdirSync(join(folder, 'falco'))
      .filter((name) => name.endsWith('.yaml') && name !== STABLE)
      .map((name) => ({ name, text: readFileSync(join(folder, 'falco', name), 'utf8') }));
export const noOthers: string | false =
  otherFiles.length > 0 ? false : `no rule files of Falco but ${STABLE} in ${join(folder, 'falco')}`;
