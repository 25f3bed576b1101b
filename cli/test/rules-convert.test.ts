import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { compileDetectorRules, readRuleFiles } from '@ringfence/detector';
import { convertRules } from '../src/rules/convert.ts';

test('the built-in content converted is the built-in content', async () => {
  const sources = await readRuleFiles([join(import.meta.dirname, '../../rules')]);
  const { text, rules, diagnostics } = convertRules(sources);
  assert.deepEqual(diagnostics, []);
  assert.equal(rules.length, compileDetectorRules(sources, 'hunt').rules.length);
  assert.ok(text.length < 2 * sources.reduce((sum, source) => sum + source.text.length, 0));
  assert.equal(convertRules([{ name: 'again', text }]).text, text);
});

test('what has errors is left out, and said', () => {
  const text = readFileSync(join(import.meta.dirname, '../../rules/impact.yaml'), 'utf8');
  const { rules, diagnostics } = convertRules([{ name: 'impact.yaml', text }]);
  assert.deepEqual(rules, ['Fork storm at its limit']);
  assert.ok(diagnostics.some(({ code, severity }) => code === 'unknown-macro' && severity === 'error'));
});

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks');

/** Every condition is the same: `convertRules` throws otherwise. */
for (const [language, count] of [
  ['falco', 25],
  ['sigma', 107],
] as const) {
  const folder = join(yardsticks, language);
  const skip = existsSync(folder) ? false : `no ${folder}: RINGFENCE_YARDSTICKS names the folder`;
  test(`all ${count} rules of the yardstick in ${language} are converted`, { skip }, async () => {
    const { rules, diagnostics } = convertRules(await readRuleFiles([folder]));
    assert.equal(rules.length, count);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    );
  });
}
