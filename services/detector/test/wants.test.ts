/** What the built-in rules ask the sensor for. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { compileRules } from '@ringfence/rules';
import { catalogue, eventKinds } from '@ringfence/schema';
import { compileDetectorRules, readRuleFiles } from '../src/index.ts';
import { WANTED_FORMS } from '../src/wants.ts';

test('executables would narrow nothing that the built-in rules ask for: of each they want events of any program', async () => {
  const sources = await readRuleFiles([join(import.meta.dirname, '../../../rules')]);
  const asked = compileDetectorRules(sources).interest.forms.filter((interest) => interest !== 'nothing').length;
  // The same of a program that no rule names.
  const other = { 'process.name': { is: 'rf-unnamed' }, 'process.executable': { is: '/opt/rf-unnamed' } };
  const forms = WANTED_FORMS.map((form) => ({ ...form, facts: { ...form.facts, ...other } }));
  const { interest } = compileRules({ sources, catalogue, kinds: eventKinds, forms });
  const left = interest.forms.filter((one) => one !== 'nothing').length;
  assert.deepEqual([WANTED_FORMS.length, asked, left], [72, 17, 17], 'docs/ARCHITECTURE.md gives these numbers');
});
