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

test("SigmaHQ's rules for Linux load as they are, and nothing is said but what can't be seen here", { skip }, () => {
  const sources = read();
  const set = compileDetectorRules(sources);
  assert.equal(set.rules.length, sources.length);
  assert.deepEqual(
    set.diagnostics.map(({ item, severity, message }) => `${item}: ${severity}: ${message}`),
    [
      "Suspicious C2 Activities: warning: 'key' is never available here: keys are given by the rules of auditd, which is not needed here",
    ],
  );
  const silent = set.rules.filter(({ kinds }) => kinds.length === 0);
  assert.deepEqual(
    silent.map(({ name }) => name),
    ['Suspicious C2 Activities'],
  );
});

test('written as native rules they are the same conditions', { skip }, () => {
  const { rules } = compileDetectorRules(read());
  const native = compileDetectorRules([{ name: 'native.yaml', text: writeRules(rules) }]);
  assert.deepEqual(
    native.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.deepEqual(
    native.rules.map(({ kinds }) => kinds),
    rules.map(({ kinds }) => kinds),
  );
});
