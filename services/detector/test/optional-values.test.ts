import assert from 'node:assert/strict';
import test from 'node:test';
import { compileDetectorRules, interestOf } from '../src/rules.ts';

/** Returns the optional values that the sensor must record for a rule with this condition. */
function asked(condition: string, output = 'x'): { rawPaths: boolean; environment: readonly string[] } {
  const text = JSON.stringify([{ rule: 'r', desc: 'd', condition, output, priority: 'INFO', source: 'syscall' }]);
  const rules = compileDetectorRules([{ name: 'falco.yaml', text }]);
  assert.deepEqual(
    rules.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  const { rawPaths, environment } = interestOf(rules);
  return { rawPaths, environment };
}

const NOTHING = { rawPaths: false, environment: [] };

test('paths as they were passed are recorded only if a rule reads them', () => {
  assert.deepEqual(asked('evt.type = open and fd.name startswith /etc/'), NOTHING);
  for (const field of ['fd.nameraw', 'fs.path.nameraw', 'fs.path.sourceraw', 'fs.path.targetraw']) {
    assert.equal(asked(`${field} contains ../`).rawPaths, true, field);
    assert.equal(asked('evt.type = open and fd.name startswith /etc/', `%${field}`).rawPaths, true, field);
  }
});

test('variables are asked for by their names, and a rule that reads all asks for all', () => {
  const inExec = (test: string, output?: string): readonly string[] =>
    asked(`evt.type = execve and ${test}`, output).environment;
  assert.deepEqual(inExec('proc.env[HTTPS_PROXY] exists and not proc.env[A] = 1'), ['A', 'HTTPS_PROXY']);
  assert.deepEqual(inExec('proc.aenv[SECRET] contains x'), ['SECRET']);
  assert.deepEqual(inExec('proc.name = x', '%proc.env[B] %proc.env'), ['B'], 'an output shows what is recorded');
  assert.deepEqual(inExec('proc.env startswith "C="'), ['C']);
  for (const test of ['proc.env contains "C="', 'proc.aenv[2] contains x', 'proc.env != "C=1"', 'proc.env exists'])
    assert.deepEqual(inExec(test), ['*'], test);
});

test('rules that are not active ask for nothing', () => {
  const text = 'rules: []';
  assert.deepEqual(asked('proc.name = x'), NOTHING);
  assert.deepEqual(interestOf(compileDetectorRules([{ name: 'none.yaml', text }])).environment, []);
});
