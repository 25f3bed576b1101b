/** Witnesses of the rules of other projects, which are not part of this repository. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRuleFiles } from '@ringfence/detector';
import { checkRules } from '../src/check.ts';

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../../shared/yardsticks');

for (const [language, least] of [
  ['falco', 25],
  ['sigma', 106],
] as const) {
  const folder = join(yardsticks, language);
  const skip = existsSync(folder) ? false : `there are no rules in ${folder}: set RINGFENCE_YARDSTICKS`;
  test(`each rule of ${language} has a witness, or a cause for which it can't match`, { skip }, async () => {
    const sources = await readRuleFiles([folder]);
    const { witnesses } = checkRules({ sources, asked: new Set(sources.map(({ name }) => name)) });
    assert.deepEqual(witnesses.undecided, []);
    assert.ok(witnesses.found >= least, `${witnesses.found}`);
    for (const { rule, cause, reasons } of witnesses.none) assert.ok(cause !== undefined && reasons.length > 0, rule);
  });
}
