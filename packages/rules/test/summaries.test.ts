import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StateError } from '../src/diagnostics/errors.ts';
import { writeRules } from '../src/language/write/write-rules.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { RuleSet } from '../src/rule-set.ts';
import { RuleMemory } from '../src/state/memory.ts';
import type { SummaryLimits } from '../src/state/summaries.ts';
import { compile, createTestEvent, matches, refuses } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const SECOND = 1_000_000;
const LATE = LIMITS.latenessUs;

const rule = (summary: string, condition = 'event.action = exit'): string =>
  `- rule: r\n  condition: ${condition}\n  summary: ${summary}\n`;
const exit = (uptime: number | undefined, entity = 'a'): TestEvent =>
  createTestEvent('exit', { 'process.uptime': uptime, 'process.entity_id': entity });

/** Keeps events as JSON; a detector has its own encoding. */
const witness = {
  keep: (event: TestEvent): string => JSON.stringify(event),
  read: (kept: string): TestEvent => JSON.parse(kept) as TestEvent,
};

class Run {
  readonly memory: RuleMemory;
  readonly set: RuleSet<TestEvent>;
  readonly reported: string[] = [];

  constructor(text: string, limits: SummaryLimits = {}) {
    const memory = new RuleMemory({ summaries: limits });
    this.memory = memory;
    this.set = compile(text, { memory: { of: () => memory, isFirst: () => false, witness } });
    assert.deepEqual(this.set.diagnostics, []);
  }

  take(event: TestEvent, seconds: number): this {
    assert.deepEqual(matches(this.set, event, seconds * SECOND), [], 'no match is reported before the window ends');
    return this;
  }

  /** Ticks at `seconds` and returns the uptimes of the first events of the reported windows. */
  tick(seconds: number): (number | undefined)[] {
    const reported: (number | undefined)[] = [];
    const report = (_: unknown, __: unknown, event?: TestEvent): void => {
      reported.push(event?.['process.uptime'] as number);
    };
    this.memory.tick(this.set.rules, seconds * SECOND + LATE, report, witness);
    return reported;
  }
}

function isReported(summary: string, uptimes: readonly number[]): boolean {
  const run = new Run(rule(summary));
  for (const [n, uptime] of uptimes.entries()) run.take(exit(uptime), n / 1000);
  return run.tick(60).length > 0;
}

describe('a summary', () => {
  test('is evaluated when the window of its first event ends, and the alert is about that event', () => {
    const run = new Run(rule('{ count: events, at_most: 2, by: [process.entity_id], within: 60s }'));
    run.take(exit(1), 0).take(exit(2), 30).take(exit(7, 'b'), 10);
    assert.deepEqual(run.tick(59), []);
    assert.deepEqual(run.tick(60), [1]);
    assert.deepEqual(run.tick(69), []);
    assert.deepEqual(run.tick(70), [7]);
    assert.deepEqual(run.tick(1000), [], 'a key without events has no window and no alert');
    assert.equal(run.memory.stats().summaries.keys, 0);
  });

  test('does not match if the number is out of bounds', () => {
    const run = new Run(rule('{ count: events, at_most: 2, within: 60s }'));
    for (const at of [0, 1, 2]) run.take(exit(at), at);
    assert.deepEqual(run.tick(60), []);
  });

  test('starts a new window with the first event after the old one, even without a tick in between', () => {
    const run = new Run(rule('{ count: events, below: 2, within: 60s }'));
    run.take(exit(1), 0).take(exit(2), 60).take(exit(3), 100).take(exit(4), 500).take(exit(5), 600);
    assert.deepEqual(run.tick(600), [1, 4]);
    assert.deepEqual(run.tick(660), [5]);
  });

  for (const [summary, uptimes, expected] of [
    ['{ sum: process.uptime, at_most: 6, within: 1m }', [1, 2, 3], true],
    ['{ sum: process.uptime, below: 6, within: 1m }', [1, 2, 3], false],
    ['{ average: process.uptime, at_least: 2, within: 1m }', [1, 2, 3], true],
    ['{ average: process.uptime, above: 2, within: 1m }', [1, 2, 3], false],
    ['{ average: process.uptime, above: 2, within: 1m }', [1, 2, 3.5], true],
    ['{ median: process.uptime, at_least: 5, at_most: 5, within: 1m }', [900, 5, 1], true],
    ['{ median: process.uptime, at_least: 4, at_most: 4, within: 1m }', [900, 5, 3, 1], true],
    [
      '{ percentile: 90, of: process.uptime, at_least: 9, below: 10, within: 1m }',
      [9, 1, 2, 3, 4, 5, 6, 7, 8, 10],
      true,
    ],
    ['{ percentile: 0, of: process.uptime, at_most: 1, within: 1m }', [5, 1, 9], true],
    ['{ percentile: 100, of: process.uptime, at_least: 9, within: 1m }', [5, 9, 1], true],
    ['{ distinct: process.uptime, at_least: 2, at_most: 2, within: 1m }', [5, 5, 9], true],
    ['{ distinct: process.uptime, above: 2, within: 1m }', [5, 5, 9], false],
  ] as const)
    test(`${summary} of ${uptimes.join(', ')} ${expected ? 'holds' : 'does not hold'}`, () =>
      assert.equal(isReported(summary, uptimes), expected));

  test('ignores events without its field', () => {
    const run = new Run(rule('{ average: process.uptime, below: 10, within: 60s }'));
    assert.deepEqual(run.take(exit(undefined), 0).take(exit(Number.NaN), 0).tick(100), []);
    assert.equal(run.memory.stats().summaries.keys, 0);
  });

  test('counts a merged event by its weight', () => {
    const run = new Run(rule('{ count: events, at_least: 500, within: 60s }'));
    run.take({ ...exit(1), 'event.count': 500 }, 0);
    assert.deepEqual(run.tick(60), [1]);
  });

  test('of many different numbers is exact to two digits or more, in bounded memory', () => {
    const run = new Run(rule('{ median: process.uptime, at_least: 49500, at_most: 50500, within: 1h }'));
    for (let n = 1; n <= 99_999; n++) run.take(exit((n * 7919) % 100_000), n / 100);
    const [entry] = run.memory.summaries.takeChanges();
    assert.ok((entry?.value?.length ?? 0) < 30_000, `${entry?.value?.length} bytes`);
    assert.equal(run.tick(3601).length, 1);
    const wild = new Run(rule('{ percentile: 99, of: process.uptime, above: 1, within: 1h }'));
    for (let n = 0; n < 50_000; n++) wild.take(exit(((n % 2) - 0.5) * 2 ** (((n * 31) % 2000) - 1000)), n / 100);
    assert.ok((wild.memory.summaries.takeChanges()[0]?.value?.length ?? 0) < 60_000);
  });

  test('evicts the least recently used window over the limit, and counts it', () => {
    const run = new Run(rule('{ count: events, below: 2, by: [process.entity_id], within: 60s }'));
    for (let n = 0; n < 1001; n++) run.take(exit(n, `p${n}`), 0);
    assert.deepEqual(run.memory.stats().summaries, { keys: 1000, evicted: 1 });
    const reported = run.tick(60);
    assert.deepEqual([reported.length, reported.includes(0)], [1000, false]);
  });

  test('evicts the least recently used window of the largest rule over the total limit, and counts it', () => {
    const named = (name: string, user: string, entity: string): TestEvent =>
      createTestEvent('exec', { 'user.name': user, 'process.entity_id': entity, 'process.name': name });
    const rules =
      rule('{ distinct: user.name, at_least: 9, by: [process.entity_id], within: 60s }', 'process.name = long') +
      rule('{ count: events, below: 9, by: [process.entity_id], within: 60s }', 'process.name = short').replace(
        'rule: r',
        'rule: s',
      );
    const run = new Run(rules, { characters: 10_000 });
    const fill = (from: number): void => {
      for (let n = 0; n < 40; n++) run.take(named('long', `${n}`.padEnd(256, 'x'), `p${n % 4}`), from + n);
    };
    for (let n = 0; n < 9; n++) run.take(named('short', '', `p${n}`), 0);
    fill(0);
    const { keys, evicted } = run.memory.stats().summaries;
    assert.ok(keys >= 11 && evicted > 0, `${keys} are left, ${evicted} forgotten`);
    const again = new RuleMemory({ summaries: { characters: 5_000 } });
    for (const { key, value } of run.memory.snapshot()) again.restore(key, value);
    assert.ok(again.stats().summaries.evicted > 0, 'what is put back is bounded, too');
    assert.ok(run.tick(200).length >= 9, 'rules that hold little keep what they have');
    run.take(named('long', 'x'.repeat(256), 'p'), 300);
    assert.deepEqual(run.memory.stats().summaries, { keys: 1, evicted }, 'what is over is not counted any more');
  });

  test('discards the latest windows of a key if no tick comes, and counts them', () => {
    const run = new Run(rule('{ count: events, below: 2, within: 60s }'));
    for (let n = 0; n < 20; n++) run.take(exit(n), n * 60);
    assert.equal(run.memory.stats().summaries.evicted, 3, 'one is open, sixteen are due');
    assert.equal(run.tick(1200).length, 16);
    assert.equal(run.memory.stats().summaries.evicted, 4);
  });

  test('continues after an event with an absurd time, and counts the evicted window', () => {
    const run = new Run(rule('{ count: events, below: 2, by: [process.entity_id], within: 60s }'));
    run.take(exit(1, 'b'), 0).take(exit(2), 0).take(exit(3), 1e9);
    assert.deepEqual(run.tick(1), [2], 'the earlier window has ended and is reported');
    assert.deepEqual(run.memory.stats().summaries, { keys: 1, evicted: 1 });
    assert.deepEqual(run.take(exit(4), 10).tick(100), [1, 4]);
  });

  test('is reported when its window ends, in any order of windows and after a restore', () => {
    const text = rule('{ count: events, below: 9, by: [process.entity_id], within: 60s }');
    const run = new Run(text);
    assert.deepEqual(run.take(exit(1, 'a'), 100).tick(101), []);
    assert.deepEqual(run.take(exit(2, 'b'), 50).tick(109), [], 'its window ends before the other one');
    assert.deepEqual(run.tick(110), [2]);
    run.take(exit(3, 'a'), 160);
    assert.deepEqual(
      run.tick(111),
      [1],
      'an event after its end closes the first window, whatever the time of the tick',
    );
    const again = new Run(text);
    assert.deepEqual(again.take(exit(4, 'b'), 300).tick(0), []);
    for (const { key, value } of run.memory.snapshot()) again.memory.restore(key, value);
    assert.deepEqual([again.tick(219), again.tick(220)], [[], [3]]);
  });

  test('is suppressed and throttled like any alert', () => {
    const run = new Run(
      `${rule('{ count: events, below: 2, by: [process.entity_id], within: 60s }')}  throttle: { alerts: 1, per: 1h }\n`,
    );
    run.take(exit(1, 'a'), 0).take(exit(2, 'b'), 0);
    assert.deepEqual(run.tick(60), [1]);
    assert.equal(run.memory.stats().thresholds.held, 1);
  });

  test('of a deleted rule keeps nothing', () => {
    const run = new Run(rule('{ count: events, below: 2, within: 60s }'));
    run.take(exit(1), 0);
    run.memory.takeChanges();
    run.memory.tick([], 0, () => assert.fail());
    assert.equal(run.memory.stats().summaries.keys, 0);
    assert.deepEqual(
      run.memory.takeChanges().map(({ value }) => value),
      [null],
    );
  });

  test('rebuilt from its changes at any point continues without a difference', () => {
    const rules = [
      '{ count: events, at_most: 2, by: [process.entity_id], within: 10s }',
      '{ median: process.uptime, above: 2, within: 10s }',
    ]
      .map((summary, n) => rule(summary).replace('rule: r', `rule: r${n}`))
      .join('');
    const step = fc.tuple(fc.constantFrom('a', 'b', 'tick'), fc.nat(4), fc.nat(6));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(39), (steps, cut) => {
        const whole = new Run(rules);
        let moved = new Run(rules);
        const log = new Map<string, Uint8Array | null>();
        let at = 0;
        for (const [i, [action, uptime, wait]] of steps.entries()) {
          at += wait;
          if (action === 'tick') assert.deepEqual(moved.tick(at), whole.tick(at));
          else for (const run of [whole, moved]) run.take(exit(uptime, action), at);
          for (const { key, value } of moved.memory.takeChanges()) log.set(key, value);
          if (i !== cut) continue;
          moved = new Run(rules);
          for (const [key, value] of log) if (value !== null) moved.memory.restore(key, value);
        }
        assert.deepEqual(moved.tick(at + 100), whole.tick(at + 100));
      }),
      { numRuns: 60 },
    );
  });

  test('refuses entries it did not write, and damaged events', () => {
    const good = '[1,0,0,1,0,0,[],[],"",[]]';
    const memory = new RuleMemory();
    memory.restore('w["r"]\n[]', Buffer.from(good));
    const fields = JSON.parse(good) as unknown[];
    const entry = (place: number, value: unknown): string => JSON.stringify(fields.with(place, value));
    const refused = (value: string, why: RegExp, isKept?: (kept: string) => boolean): void => {
      const restore = (): void =>
        memory.restore('w["r"]\n[]', Buffer.from(value), isKept === undefined ? undefined : { isKept });
      assert.throws(restore, (error) => error instanceof StateError && why.test(error.message), value);
    };
    refused('nonsense', /it is not JSON/);
    refused('{}', /it is not an array/);
    refused(entry(0, 2), /its version is 2/);
    const wrong: readonly (readonly [place: number, ...unknown[]])[] = [
      ...[1, 2, 3, 4].map((place) => [place, null, '0'] as const),
      [5, 9, 1.5],
      [6, {}, [[1]], [['1', 1]], [[1, 1, 1]], Array.from({ length: LIMITS.summaryNumbers + 1 }, (_, n) => [n, 1])],
      [7, {}, [1], Array.from({ length: LIMITS.thresholdCount + 2 }, String)],
      [8, 7, null],
      [9, {}, ['x'], [[0]], [['0', 'x']], [[0, 1]], Array.from({ length: 17 }, () => [0, ''])],
    ];
    for (const [place, ...values] of wrong)
      for (const value of values) refused(entry(place, value), /its fields are not what this version writes/);
    for (const kept of [entry(8, 'x'), entry(9, [[0, 'x']])]) {
      refused(kept, /a kept event is damaged/, () => false);
      memory.restore('w["r"]\n[]', Buffer.from(kept), { isKept: (keptText) => keptText === 'x' });
    }
    assert.equal(memory.stats().summaries.keys, 1);
  });
});

describe('writing a summary', () => {
  for (const [text, message] of [
    ['{ within: 1m, below: 3 }', /has one of: count, distinct/],
    ['{ count: events, sum: user.id, below: 3, within: 1m }', /has one of/],
    ['{ count: user.id, below: 3, within: 1m }', /events are counted, not 'user.id'/],
    ['{ count: events, within: 1m }', /needs a bound: at_least/],
    ['{ count: events, below: few, within: 1m }', /expected a number, found 'few'/],
    ['{ count: events, below: 3 }', /a summary needs 'within'/],
    ['{ average: user.name, below: 3, within: 1m }', /'user.name' is not a number/],
    ['{ averge: user.id, below: 3, within: 1m }', /unknown key 'averge' in a summary/],
    ['{ average: user.idd, below: 3, within: 1m }', /unknown field 'user.idd'/],
    ['{ percentile: 95, below: 3, within: 1m }', /'percentile' and 'of' go together/],
    ['{ percentile: 101, of: user.id, below: 3, within: 1m }', /from 0 to 100, found '101'/],
    ['{ sum: user.id, of: user.id, below: 3, within: 1m }', /go together/],
    ['{ count: events, at_least: 3, below: 3, within: 1m }', /no count is within these bounds/],
    ['{ count: events, below: 1, within: 1m }', /no count is within/],
    ['{ average: user.id, above: 3, at_most: 3, within: 1m }', /no number is within/],
    ['{ distinct: user.id, at_most: 5000, within: 1m }', /up to 1000, this asks for 5000/],
    ['{ count: events, below: 3, within: 1m }\n  threshold: { count: 3, within: 1m }', /either a threshold, a summary/],
  ] as const)
    test(`${text} is an error whose hint shows the syntax`, () => refuses(rule(text), message));

  test('behind a sequence is an error', () => {
    const text = rule(
      '{ count: events, below: 3, within: 1m }',
      'sequence with maxspan=1s [ event.action = exec ] [ event.action = open ]',
    );
    assert.match(compile(text).diagnostics[0]?.message ?? '', /a sequence has no summary/);
  });

  test('and reading it again gives the same', () => {
    for (const summary of [
      '{ count: events, at_most: 2, by: [process.entity_id], within: 60s }',
      '{ percentile: 99.5, of: process.uptime, above: 1.5, below: 9, within: 1m }',
      '{ distinct: user.name, at_least: 2, within: 1h }',
    ]) {
      const { rules } = compile(rule(summary));
      assert.deepEqual(compile(writeRules(rules)).rules[0]?.summary, rules[0]?.summary);
    }
  });
});
