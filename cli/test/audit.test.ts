import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Verification } from '@ringfence/auditor';
import { auditLines } from '../src/audit/view.ts';
import { assertEscaped, HOSTILE, plain } from './support.ts';

function found(overrides: Partial<Verification> = {}): Verification {
  return {
    ...{ records: 1234, chains: [], retired: 0, unfinished: 0, heads: 2, problems: [], problemCount: 0 },
    ...overrides,
  };
}

suite('the output of audit verify', () => {
  test('describes an intact trail and the heads that it was compared with', () => {
    const notedHeads = { heads: [], forged: [], areVerified: true };
    assert.deepEqual(auditLines(plain, found({ retired: 5, unfinished: 1 }), notedHeads, '/var/lib/audit.db'), [
      '/var/lib/audit.db: 1,234 records in 0 chains',
      'compared with 2 published heads (signed by auditors)',
      '5 older records removed by retention',
      '1 record newer than the heads: an auditor is writing this batch, or died and finishes it after its restart',
      'the trail is intact',
    ]);
  });

  test('lists each problem, with control characters escaped', () => {
    const chain = { topic: 'ringfence.alerts', partition: 0, kind: 'alert' } as const;
    const problems = [
      { type: 'missing', ...chain, seq: 3, id: '', count: 2 },
      { type: 'changed', ...chain, seq: 7, id: HOSTILE, count: 1 },
    ] as const;
    const lines = auditLines(plain, found({ problems, problemCount: 3 }), null, 'x');
    assert.match(lines[1] ?? '', /^compared with no published heads/);
    assert.equal(lines[2], 'missing     ringfence.alerts/0 alert records 3 to 4: removed');
    assertEscaped(lines.join('\n'));
    assert.deepEqual(lines.slice(-2), ['… and 1 more problem', 'the trail is not intact: 3 problems']);
  });
});
