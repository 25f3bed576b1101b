import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StateError } from '../src/diagnostics/errors.ts';
import type { RuleSet } from '../src/rule-set.ts';
import { encodeEntry } from '../src/state/codec.ts';
import { RuleMemory } from '../src/state/memory.ts';
import { ThresholdState } from '../src/state/thresholds.ts';
import { compile, createTestEvent, matches } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const SECOND = 1_000_000;
const COUNT =
  '- rule: burst\n  condition: user.id exists\n  threshold: { count: 3, by: [process.entity_id], within: 10s }\n';
const SCAN =
  '- rule: scan\n  condition: destination.port exists\n  threshold: { distinct: destination.port, at_least: 3, by: [process.entity_id], within: 10s }\n';

const touch = (entity: string): TestEvent => createTestEvent('exec', { 'user.id': 0, 'process.entity_id': entity });
const connect = (port: number): TestEvent =>
  createTestEvent('connect', { 'destination.port': port, 'process.entity_id': 'p' });
const thresholdsOf = (set: RuleSet<TestEvent>): ThresholdState => set.memory.of(touch('')).thresholds;
const fires = (set: RuleSet<TestEvent>, event: TestEvent, seconds: number): boolean =>
  matches(set, event, seconds * SECOND).length > 0;

describe('threshold state', () => {
  test('is bounded per rule, and evictions are counted', () => {
    const memory = new RuleMemory({ thresholds: { keysPerRule: 2 } });
    const { thresholds } = memory;
    const set = compile(COUNT, { memory });
    for (const key of ['a', 'b', 'a', 'c']) fires(set, touch(key), 1);
    assert.deepEqual(thresholds.stats(), { keys: 2, evicted: 1, held: 0 });
    assert.equal(fires(set, touch('a'), 2), true, 'the key unused for longest went, not this one');
  });

  test('is bounded in total: the rule with most keys loses a key', () => {
    const memory = new RuleMemory({ thresholds: { keys: 3 } });
    const { thresholds } = memory;
    const set = compile(COUNT + SCAN, { memory });
    fires(set, connect(1), 1);
    for (const key of ['a', 'b', 'c', 'd']) fires(set, touch(key), 1);
    assert.deepEqual(thresholds.stats(), { keys: 3, evicted: 2, held: 0 });
    fires(set, connect(2), 2);
    assert.equal(fires(set, connect(3), 3), true, "the smaller rule's count was kept");
  });

  test('expires on a tick, and records it in the changelog', () => {
    const memory = new RuleMemory();
    const { thresholds } = memory;
    const set = compile(COUNT, { memory });
    fires(set, touch('a'), 1);
    fires(set, touch('b'), 5);
    thresholds.takeChanges();
    thresholds.expire(set.rules, 11 * SECOND);
    const changes = thresholds.takeChanges();
    assert.equal(changes.length, 1);
    assert.match(changes[0]!.key, /"a"/);
    assert.equal(changes[0]!.value, null);
    thresholds.expire([], 12 * SECOND);
    assert.equal(thresholds.stats().keys, 0, 'a rule that is gone keeps nothing');
  });

  test('rebuilt from its changes at any point continues without a difference', () => {
    const step = fc.tuple(fc.constantFrom('exec', 'connect'), fc.constantFrom('a', 'b'), fc.nat(4), fc.nat(6));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(59), (steps, cut) => {
        const whole = compile(COUNT + SCAN);
        let moved = compile(COUNT + SCAN, { memory: new RuleMemory() });
        const log = new Map<string, Uint8Array | null>();
        let at = 0;
        for (const [i, [kind, entity, port, wait]] of steps.entries()) {
          at += wait * SECOND;
          const event = createTestEvent(kind, {
            'user.id': 0,
            'process.entity_id': entity,
            ...(kind === 'connect' ? { 'destination.port': port } : {}),
          });
          assert.deepEqual(matches(moved, event, at), matches(whole, event, at));
          for (const { key, value } of thresholdsOf(moved).takeChanges()) log.set(key, value);
          if (i !== cut) continue;
          moved = compile(COUNT + SCAN, { memory: new RuleMemory() });
          for (const [key, value] of log) if (value !== null) thresholdsOf(moved).restore(key, value);
        }
        const entries = (set: RuleSet<TestEvent>): string[] =>
          [...thresholdsOf(set).snapshot()].map(({ key, value }) => key + Buffer.from(value)).sort();
        assert.deepEqual(entries(moved), entries(whole));
      }),
      { numRuns: 60 },
    );
  });

  test('refuses entries it did not write, with a reason', () => {
    const bad: readonly (readonly [key: string, value: string, reason: RegExp])[] = [
      ['no newline', '[1,0,0,[],[]]', /the key has no rule/],
      ['r\nk', 'nonsense', /not JSON/],
      ['r\nk', '{}', /not an array/],
      ['r\nk', '[2,0,0,[],[]]', /its version is 2/],
      ['r\nk', '[1,0,0,["x"],[]]', /its fields/],
      ['r\nk', `[1,0,0,[${'1,'.repeat(5000)}1],[]]`, /its fields/],
    ];
    for (const [key, value, reason] of bad) {
      const state = new ThresholdState();
      const restore = (): void => state.restore(key, Buffer.from(value));
      assert.throws(
        restore,
        (error: unknown) =>
          error instanceof StateError && error.code === 'ERR_RULES_STATE' && reason.test(error.message),
      );
      assert.equal(state.stats().keys, 0, 'a refused entry leaves nothing behind');
    }
  });

  test('restored with far more than the threshold is reached by the next event', () => {
    const set = compile(COUNT);
    fires(set, touch('a'), 1);
    const [saved] = thresholdsOf(set).snapshot();
    const memory = new RuleMemory();
    memory.restore(saved!.key, encodeEntry(1, [0, SECOND, [], [], 1e12]));
    assert.equal(fires(compile(COUNT, { memory }), touch('a'), 2), true);
  });
});
