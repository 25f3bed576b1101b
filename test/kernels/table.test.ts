import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INSTRUCTIONS_MAX, kernelTable, verdictFailures } from './lib/table.ts';

const good = { name: 'good', section: 'tp_btf/a', full: false, instructions: 1234 };
const lacking = {
  name: 'lacking',
  section: 'tracepoint/b',
  full: false,
  instructions: 5,
  unattached: 'no such tracepoint',
};
const refused = {
  name: 'refused',
  section: 'tp_btf/c',
  full: false,
  instructions: 0,
  refused: 'R1 invalid mem access',
};
const optional = { name: 'optional', section: 'lsm/e', full: true, instructions: 0, refused: 'EPERM' };
const large = { name: 'large', section: 'tp_btf/d', full: false, instructions: INSTRUCTIONS_MAX + 1 };

test('the document has the verdict of each kernel on each program, with reasons', () => {
  const text = kernelTable([
    { title: '6.1', programs: [good, lacking] },
    { title: '6.12', programs: [good, refused, optional] },
  ]);
  assert.match(text, /^\| `good` \| `tp_btf\/a` \| 1,234 \| 1,234 \|$/m);
  assert.match(text, /^\| `lacking` \| `tracepoint\/b` \| 5, no hook \| {2}\|$/m);
  assert.match(text, /^\| `refused` \| `tp_btf\/c` \| {2}\| refused \|$/m);
  assert.match(text, /^\| `optional` \| `lsm\/e`, full profile \| {2}\| no hook \|$/m);
  assert.match(text, /^6\.12, refused: R1 invalid mem access$/m);
});

test('a rejected or too large program fails; one without a hook fails unless the document lists it', () => {
  const failed = (table: Parameters<typeof verdictFailures>[2]): string[] =>
    verdictFailures('6.1', [good, lacking, refused, large, optional], table).map(({ program }) => program);
  assert.deepEqual(failed(new Map()), ['lacking', 'refused', 'large', 'optional']);
  const noHook = { '6.1': '5, no hook' };
  const columns = new Map(['lacking', 'optional', 'refused'].map((name) => [name, noHook]));
  assert.deepEqual(failed(columns), ['refused', 'large']);
  assert.deepEqual(failed(new Map([['lacking', { '6.12': '5, no hook' }]])), [
    'lacking',
    'refused',
    'large',
    'optional',
  ]);
});
