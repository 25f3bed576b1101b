import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert, Incident } from '@ringfence/wire';
import { whereAlert, whereIncident } from '../src/api/where.ts';

const incident = {
  stages: [{ tactic: 'defense-impairment' }, { tactic: 'execution' }],
  score: 70,
} as unknown as Incident;

test('stages and tactics are found by the names of both versions of ATT&CK', () => {
  for (const name of ['defense-impairment', 'defense-evasion', 'execution']) {
    assert.ok(whereIncident(`score > 60 and stages intersects (${name})`)(incident), name);
    assert.ok(
      whereAlert(`tactics = ${name}`)({ tactics: ['execution', 'defense-impairment'] } as unknown as Alert),
      name,
    );
  }
  assert.ok(!whereIncident('stages intersects (stealth)')(incident));
});
