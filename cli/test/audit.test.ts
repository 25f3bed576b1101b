import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { suite, test } from 'node:test';
import type { Verification } from '@ringfence/auditor';
import { paintFor } from '@ringfence/base';
import { auditLines } from '../src/audit/view.ts';

const paint = paintFor(new Writable());

function found(overrides: Partial<Verification> = {}): Verification {
  return {
    ...{ records: 1234, chains: [], retired: 0, unfinished: 0, heads: 2, problems: [], problemCount: 0 },
    ...overrides,
  };
}

suite('ringfence audit verify shows', () => {
  test('a whole trail, and what it was held against', () => {
    const noted = { heads: [], forged: [], areVerified: true };
    assert.deepEqual(auditLines(paint, found({ retired: 5, unfinished: 1 }), noted, '/var/lib/audit.db'), [
      '/var/lib/audit.db: 1,234 records in 0 chains',
      'held against 2 heads on the bus (signed by auditors)',
      '5 older records let go by retention, from the beginnings of the chains',
      '1 record behind the heads: a batch being written, or one whose auditor died and which the next one finishes',
      'the trail is whole',
    ]);
  });

  test('each problem, with names that can not steer a terminal', () => {
    const chain = { topic: 'ringfence.alerts', partition: 0, kind: 'alert' } as const;
    const problems = [
      { type: 'missing', ...chain, seq: 3, id: '', count: 2 },
      { type: 'changed', ...chain, seq: 7, id: '\u001b[2J', count: 1 },
    ] as const;
    const lines = auditLines(paint, found({ problems, problemCount: 3 }), null, 'x');
    assert.match(lines[1] ?? '', /no heads/);
    assert.equal(lines[2], 'missing     ringfence.alerts/0 alert records 3 to 4: is gone');
    assert.ok(!lines.join().includes('\u001b'));
    assert.deepEqual(lines.slice(-2), ['… and 1 further problem', 'the trail is not whole: 3 problems']);
  });
});
