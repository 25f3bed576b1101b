import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuleSet } from '../src/rule-set.ts';
import { RuleMemory } from '../src/state/memory.ts';
import { compile, matches } from './support/compile.ts';
import { createTestEvent, type TestEvent } from './support/events.ts';

const SECOND = 1_000_000;
/** One rule of each kind that keeps state. */
const RULES = `
- rule: counts
  condition: event.action = exec
  threshold: { count: 3, by: [process.entity_id], within: 10s }
- rule: sums up
  condition: event.action = exec
  summary: { count: events, below: 2, by: [process.entity_id], within: 10s }
- rule: looks for new ones
  condition: event.action = exec
  first_seen: { by: [process.entity_id], within: 2d, learn: 0s }
- rule: goes on
  condition: sequence by process.entity_id with maxspan=10s [event.action = exec] [event.action = connect]
`;

/** Adds many keys and lets them expire. */
function play(set: RuleSet<TestEvent>): void {
  assert.deepEqual(set.diagnostics, []);
  for (let n = 0; n < 50; n++) matches(set, createTestEvent('exec', { 'process.entity_id': `${n}` }), n * SECOND);
  const { memory, rules } = set;
  memory.of(createTestEvent('exec')).tick(rules, 100 * SECOND, () => {});
  memory.of(createTestEvent('exec')).tick([], 101 * SECOND, () => {});
}

test('a memory without a changelog records no changes, and matches the same as one with a changelog', () => {
  const memories = [new RuleMemory(), new RuleMemory({ changelog: false })] as const;
  for (const memory of memories) play(compile(RULES, { memory }));
  const [noting, silent] = memories;
  assert.deepEqual(silent.stats(), noting.stats());
  const kinds = new Map(noting.takeChanges().map(({ key, value }) => [key.slice(0, 2), value]));
  assert.deepEqual([...kinds.keys()].sort(), ['["', 'f[', 's[', 'w[']);
  assert.deepEqual(silent.takeChanges(), []);
});

test('the default memory of rules has no changelog', () => {
  const set = compile(RULES);
  matches(set, createTestEvent('exec', { 'process.entity_id': 'a' }));
  const memory = set.memory.of(createTestEvent('exec'));
  assert.notDeepEqual([...memory.snapshot()], []);
  assert.deepEqual(memory.takeChanges(), []);
});
