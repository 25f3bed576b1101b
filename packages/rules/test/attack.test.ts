import assert from 'node:assert/strict';
import test from 'node:test';
import { TACTIC_NAMES, TACTICS, tacticOf, tacticsOf, techniqueOf, withV18 } from '../src/attack/tactics.ts';
import { attackTechnique, attackTechniques } from '../src/attack/techniques.ts';

test('the table is complete: every technique has a name and known tactics, every sub-technique has its technique', () => {
  const all = [...attackTechniques().values()];
  assert.equal(all.length, 697);
  for (const { id, name, tactics } of all) {
    assert.equal(techniqueOf(id), id);
    assert.ok(name.length > 1, id);
    assert.ok(tactics.length > 0, id);
    for (const tactic of tactics) assert.ok(TACTICS.includes(tactic), `${id} ${tactic}`);
    assert.ok(attackTechniques().has(id.slice(0, 5)), id);
  }
  assert.ok(all.filter(({ linux, containers }) => linux || containers).length > 350);
});

test('an id of v18 is found under the id that replaced it', () => {
  assert.deepEqual(attackTechnique('T1562.004'), {
    id: 'T1686',
    name: 'Disable or Modify System Firewall',
    tactics: ['defense-impairment'],
    linux: true,
    containers: false,
    formerly: ['T1562.004'],
  });
  assert.equal(attackTechnique('T1059.004')?.name, 'Unix Shell');
  assert.equal(attackTechnique('T9999'), undefined);
  assert.equal(attackTechnique('constructor'), undefined);
});

test('every tactic has a number and both of its names', () => {
  assert.deepEqual(TACTIC_NAMES.stealth, { id: 'TA0005', v19: 'Stealth', v18: 'Defense Evasion' });
  assert.deepEqual(TACTIC_NAMES['defense-impairment'], {
    id: 'TA0112',
    v19: 'Defense Impairment',
    v18: 'Defense Evasion',
  });
  assert.equal(tacticOf('attack.defense_evasion'), 'stealth');
  assert.deepEqual(tacticsOf('Defense-Evasion'), ['stealth', 'defense-impairment']);
  assert.deepEqual(tacticsOf('TA0005'), ['stealth']);
  assert.deepEqual([tacticsOf('execution'), tacticsOf('constructor')], [['execution'], []]);
  assert.deepEqual(withV18(['stealth', 'execution', 'defense-impairment', 'my own']), [
    ...['stealth', 'defense-evasion', 'execution', 'defense-impairment', 'my own'],
  ]);
});
