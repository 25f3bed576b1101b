import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert, Incident } from '@ringfence/wire';
import { alertFilter, incidentFilter } from '../../src/api/filters.ts';

const incident = {
  stages: [{ tactic: 'defense-impairment' }, { tactic: 'execution' }],
  score: 70,
} as unknown as Incident;

test('filters find stages and tactics by their names in ATT&CK v19 and v18', () => {
  for (const name of ['defense-impairment', 'defense-evasion', 'execution']) {
    assert.ok(incidentFilter(`score > 60 and stages intersects (${name})`)(incident), name);
    assert.ok(
      alertFilter(`tactics = ${name}`)({ tactics: ['execution', 'defense-impairment'] } as unknown as Alert),
      name,
    );
  }
  assert.ok(!incidentFilter('stages intersects (stealth)')(incident));
});
