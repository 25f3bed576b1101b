import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StateError } from '../src/diagnostics/errors.ts';
import { ruleFileSchema } from '../src/language/file/json-schema.ts';
import { writeRules } from '../src/language/write/write-rules.ts';
import { lintRules } from '../src/lint/lint.ts';
import { type RuleSet, updateRules } from '../src/rule-set.ts';
import { type MemoryLimits, RuleMemory } from '../src/state/memory.ts';
import { compile, createTestEvent, matches, refuses } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const rule = (firstSeen: string, more = ''): string =>
  `- rule: new\n  condition: event.action = connect\n  first_seen: ${firstSeen}\n${more}`;
const NEW = rule('{ by: [process.name, destination.port], within: 14d }');
const AT_ONCE = rule('{ by: [process.name], within: 2d, learn: 0s }');

const connect = (name: string, port = 443): TestEvent =>
  createTestEvent('connect', { 'process.name': name, 'destination.port': port });

/** Returns a set with its own memory, or with the given one. */
function begun(text: string, memory = new RuleMemory()): { set: RuleSet<TestEvent>; memory: RuleMemory } {
  return { set: compile(text, { memory }), memory };
}

const fires = (set: RuleSet<TestEvent>, event: TestEvent, days: number): boolean =>
  matches(set, event, days * DAY).length > 0;

function restored(memory: RuleMemory, limits?: MemoryLimits): RuleMemory {
  const again = new RuleMemory(limits);
  const entries = [...memory.snapshot()].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const { key, value } of entries) again.restore(key, value);
  return again;
}

describe('first_seen', () => {
  test('fires once for a combination that has not been seen for long enough', () => {
    const { set } = begun(AT_ONCE);
    const seen = [0, 0.5, 1.5, 3.4, 5.5].map((at) => fires(set, connect('curl'), at));
    assert.deepEqual(seen, [true, false, false, false, true], 'each time it is seen counts');
    assert.equal(fires(set, connect('wget'), 5.5), true);
  });

  test("only learns for a day after the rule's activation, then fires for new combinations", () => {
    const { set, memory } = begun(NEW);
    memory.tick(set.rules, 0, () => {});
    assert.equal(fires(set, connect('curl', 80), 0.1), false);
    assert.equal(fires(set, connect('curl', 443), 0.9), false);
    assert.equal(fires(set, connect('wget', 80), 1.1), true);
    assert.equal(fires(set, connect('wget', 443), 1.1), true);
    assert.equal(fires(set, connect('curl', 80), 2), false, 'it was learned');
  });

  test('learns from its first event if no tick came before', () => {
    const { set } = begun(NEW);
    assert.deepEqual(
      [10, 10.5, 11].map((at, port) => fires(set, connect('curl', port), at)),
      [false, false, true],
    );
  });

  test('ignores events that lack one of its fields', () => {
    const { set, memory } = begun(AT_ONCE);
    assert.equal(fires(set, createTestEvent('connect', {}), 0), false);
    assert.equal(memory.stats().seen.keys, 0);
  });

  test('treats a late event as seen, not as new', () => {
    const { set } = begun(AT_ONCE);
    assert.deepEqual(
      [5, 1, 6.9].map((at) => fires(set, connect('curl'), at)),
      [true, false, false],
    );
  });

  test('ends learning when the clock is set back', () => {
    const { set, memory } = begun(NEW);
    memory.tick(set.rules, 1000 * DAY, () => {});
    memory.tick(set.rules, 10 * DAY, () => {});
    assert.equal(fires(set, connect('curl'), 11.1), true);
  });

  test('works with suppress and throttle', () => {
    const { set, memory } = begun(
      rule('{ by: [process.name], within: 2d, learn: 0s }', '  throttle: { alerts: 1, per: 1h }\n'),
    );
    assert.deepEqual(
      ['a', 'b'].map((name) => fires(set, connect(name), 0)),
      [true, false],
    );
    assert.equal(memory.stats().thresholds.held, 1);
  });

  test('shows its fields in the default output', () => {
    assert.ok(begun(NEW).set.rules[0]!.operands.some(({ key }) => key === 'destination.port'));
  });
});

describe('the state of first_seen', () => {
  test('is bounded: the least recently seen combination is evicted and counted', () => {
    const memory = new RuleMemory({ seen: { keysPerRule: 2 } });
    const { set } = begun(AT_ONCE, memory);
    for (const [at, name] of ['a', 'b', 'a', 'c'].entries()) fires(set, connect(name), at * 0.1);
    assert.deepEqual(memory.stats().seen, { keys: 2, evicted: 1 });
    assert.equal(fires(set, connect('a'), 0.5), false, 'the older of the two was b');
    const all = new RuleMemory({ seen: { keys: 3 } });
    const two = begun(`${AT_ONCE}${AT_ONCE.replace('rule: new', 'rule: other')}`, all);
    for (const name of ['a', 'b', 'c']) fires(two.set, connect(name), 0);
    assert.deepEqual(all.stats().seen, { keys: 3, evicted: 3 });
  });

  test('stays bounded with 200,000 combinations, some with long values', () => {
    const { set, memory } = begun(AT_ONCE);
    for (let n = 0; n < 200_000; n++) fires(set, connect(`${n}${n < 10 ? 'x'.repeat(1_000_000) : ''}`), n / 1e9);
    assert.deepEqual(memory.stats().seen, { keys: 10_000, evicted: 190_000 });
    for (const { key } of memory.snapshot()) assert.ok(key.length < 400);
  });

  test('survives a restart without a difference', () => {
    const events = Array.from({ length: 300 }, (_, n) => [connect(`p${(n * n) % 23}`), n * 0.05] as const);
    const limits = { seen: { keysPerRule: 8 } };
    const whole = begun(AT_ONCE, new RuleMemory(limits));
    const expected = events.map(([event, at]) => fires(whole.set, event, at));
    let memory = new RuleMemory(limits);
    const results = events.map(([event, at]) => {
      memory = restored(memory, limits);
      return fires(begun(AT_ONCE, memory).set, event, at);
    });
    assert.deepEqual(results, expected);
    assert.ok(expected.includes(true) && expected.includes(false));
  });

  test('reports each change once, and a learning period continues after a restart', () => {
    const { set, memory } = begun(NEW);
    memory.tick(set.rules, 0, () => {});
    fires(set, connect('curl'), 0.5);
    const changes = memory.takeChanges();
    assert.equal(changes.length, 2);
    assert.deepEqual(memory.takeChanges(), []);
    fires(set, connect('curl'), 0.51);
    assert.deepEqual(memory.takeChanges(), [], 'what comes all the time is not written all the time');
    const again = new RuleMemory();
    for (const { key, value } of changes) again.restore(key, value!);
    const next = begun(NEW, again).set;
    assert.equal(fires(next, connect('wget'), 1.1), true);
    assert.equal(fires(next, connect('curl'), 1.2), false);
  });

  test('survives a reload with another condition, and is deleted with its rule', () => {
    const { set, memory } = begun(NEW);
    memory.tick(set.rules, 0, () => {});
    fires(set, connect('curl'), 0.5);
    const changed = NEW.replace('connect\n', 'connect and user.name != root\n');
    const next = updateRules(set, [{ name: 'test.yaml', text: changed }]).set;
    memory.tick(next.rules, 2 * DAY, () => {});
    const asUser = (name: string): TestEvent => ({ ...connect(name), 'user.name': 'web' });
    assert.deepEqual(
      ['curl', 'wget'].map((name) => fires(next, asUser(name), 2)),
      [false, true],
    );
    memory.takeChanges();
    memory.tick([], 2 * DAY, () => {});
    assert.deepEqual(memory.stats().seen.keys, 0);
    assert.ok(memory.takeChanges().every(({ value }) => value === null));
  });

  test('expires on ticks if it has not been seen for long enough', () => {
    const { set, memory } = begun(AT_ONCE);
    fires(set, connect('curl'), 0);
    memory.tick(set.rules, 1.9 * DAY, () => {});
    assert.equal(memory.stats().seen.keys, 1);
    memory.tick(set.rules, 2 * DAY, () => {});
    assert.equal(memory.stats().seen.keys, 0);
  });

  for (const [key, value] of [
    ['f["new"]', '[1]'],
    ['f["new"]\nk', '[1,5]'],
    ['f["new"]\nk', '[1,"5",1]'],
    ['f["new"]', '[9,1]'],
    ['f["new"]', 'nonsense'],
  ] as const)
    test(`that can't be read is refused: ${key.trim()} ${value}`, () => {
      assert.throws(() => new RuleMemory().restore(key, Buffer.from(value)), StateError);
    });
});

describe('writing first_seen', () => {
  for (const [text, message] of [
    ['{ within: 14d }', /needs 'by'/],
    ['{ by: [process.name] }', /a first_seen needs 'within'/],
    ['{ by: [process.name], within: 91d }', /up to 90d, found '91d'/],
    ['{ by: [process.name], within: 1d, learn: 2d }', /'learn' is longer than 'within'/],
    ['{ by: [proces.name], within: 1d }', /proces\.name/],
    ['{ by: [process.name], withn: 1d }', /unknown key 'withn' in a first_seen/],
    ['14d', /'first_seen' must be a mapping/],
    [
      '{ by: [process.name], within: 1d }\n  threshold: { count: 3, within: 10s }',
      /either a threshold, a summary or first_seen/,
    ],
  ] as const)
    test(`${text} is an error whose hint shows the syntax`, () => refuses(rule(text), message));

  test('behind a sequence is an error', () => {
    const text =
      '- rule: s\n  condition: sequence with maxspan=1s [ event.action = exec ] [ event.action = open ]\n  first_seen: { by: user.name, within: 1d }\n';
    assert.match(compile(text).diagnostics[0]?.message ?? '', /a sequence has no first_seen/);
  });

  test('and reading it again gives the same', () => {
    for (const text of [NEW, AT_ONCE]) {
      const { rules } = compile(text);
      assert.deepEqual(compile(writeRules(rules)).rules[0]?.firstSeen, rules[0]?.firstSeen);
    }
  });

  test('is part of the schema for editors, and never makes another rule superfluous', () => {
    assert.match(JSON.stringify(ruleFileSchema()), /"first_seen":\{"type":"object"/);
    const set = compile(`${NEW}- rule: all\n  condition: event.action = connect and process.name = curl\n`);
    assert.deepEqual(lintRules(set), []);
  });
});
