import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RuleSource, writeRules } from '@ringfence/rules';
import { compileDetectorRules } from '../src/rules.ts';

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../../shared/yardsticks');
const folder = join(yardsticks, 'sigma');
const read = (): RuleSource[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
const skip = existsSync(folder) ? false : `there are no Sigma rules in ${folder}: set RINGFENCE_YARDSTICKS`;

/** Diagnostics of rules that need data which Ringfence does not have */
const UNSUPPORTED = ['unavailable', 'never'];
const C2 = 'Suspicious C2 Activities';

test("SigmaHQ's rules for Linux load unchanged, with diagnostics only where the data is missing", { skip }, () => {
  const sources = read();
  const set = compileDetectorRules(sources, 'hunt');
  const unsupported = set.diagnostics.filter(({ code }) => UNSUPPORTED.includes(code));
  assert.deepEqual(
    set.diagnostics.filter((one) => !unsupported.includes(one)),
    [],
  );
  const told = new Set(unsupported.map(({ file }) => file));
  const without = sources.filter(({ name }) => !set.rules.some(({ file }) => file === name));
  for (const { name } of without) assert.ok(told.has(name), `${name} has no rule`);
  for (const { name, file, kinds } of set.rules) assert.ok(kinds.length > 0 || told.has(file), `${name} never matches`);
  assert.deepEqual(
    unsupported.filter(({ item }) => item === C2).map(({ severity, message }) => `${severity}: ${message}`),
    ["warning: 'key' is never available here: keys are given by the rules of auditd, which is not needed here"],
  );
});

test('converted to native rules they have the same conditions', { skip }, () => {
  const { rules } = compileDetectorRules(read(), 'hunt');
  const native = compileDetectorRules([{ name: 'native.yaml', text: writeRules(rules) }], 'hunt');
  assert.deepEqual(
    native.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.deepEqual(
    native.rules.map(({ kinds }) => kinds),
    rules.map(({ kinds }) => kinds),
  );
});
