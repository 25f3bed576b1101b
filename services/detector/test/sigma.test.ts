import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileDetectorRules } from '../src/rules.ts';

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../../shared/yardsticks');
const folder = join(yardsticks, 'sigma');
const skip = existsSync(folder) ? false : `there are no Sigma rules in ${folder}: set RINGFENCE_YARDSTICKS`;

test("SigmaHQ's rules for Linux load as they are, and nothing is said but what can't be seen here", { skip }, () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yml'));
  const set = compileDetectorRules(names.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') })));
  assert.equal(set.rules.length, names.length);
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
