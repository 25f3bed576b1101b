import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '../src/model/limits.ts';
import type { RuleSet } from '../src/rule-set.ts';
import { RuleMemory } from '../src/state/memory.ts';
import type { ThresholdState } from '../src/state/thresholds.ts';
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

describe('a threshold', () => {
  test('is crossed by the event that completes the count within the window, for each key separately', () => {
    const set = compile(COUNT);
    const results = [0, 1, 2].map((at) => [fires(set, touch('a'), at), at < 2 && fires(set, touch('b'), at)]);
    assert.deepEqual(results, [
      [false, false],
      [false, false],
      [true, false],
    ]);
    assert.equal(fires(set, touch('b'), 3), true);
  });

  test('of many events is exact to a thousandth in constant memory, and continues from saved state', () => {
    const wanted = 250_000;
    const rule = COUNT.replace('count: 3', `count: ${wanted}`).replace('10s', '1h');
    let set = compile(rule, { memory: new RuleMemory() });
    const log = new Map<string, Uint8Array>();
    let fired = 0;
    for (let n = 1; n <= 2 * wanted && fired === 0; n++) {
      if (fires(set, touch('a'), n / 1000)) fired = n;
      if (n % 100_000 !== 77) continue;
      for (const { key, value } of set.memory.of(touch('a')).takeChanges()) log.set(key, value!);
      assert.ok([...log.values()].every(({ length }) => length < 20_000));
      const memory = new RuleMemory();
      for (const [key, value] of log) memory.restore(key, value);
      set = compile(rule, { memory });
    }
    assert.ok(Math.abs(fired - wanted) <= wanted / 1000, `${fired}`);
    const slow = compile(rule.replace('1h', '10s'));
    for (let n = 1; n <= wanted; n++) assert.equal(fires(slow, touch('a'), n / 10_000), false, 'half fit the window');
  });

  test('slides: events older than the window no longer count', () => {
    const set = compile(COUNT);
    assert.deepEqual(
      [0, 6, 10, 15].map((at) => fires(set, touch('a'), at)),
      [false, false, false, true],
    );
  });

  test('counts again after an event with an absurd time, also after a restore, and counts the eviction', () => {
    const ahead = compile(COUNT);
    const memory = new RuleMemory();
    const restored = compile(COUNT, { memory });
    assert.equal(fires(ahead, touch('a'), 1e9), false);
    assert.equal(fires(ahead, touch('b'), 0), false);
    for (const { key, value } of ahead.memory.of(touch('a')).snapshot()) memory.restore(key, value);
    for (const set of [ahead, restored]) {
      thresholdsOf(set).expire(set.rules, SECOND);
      const { keys, evicted } = thresholdsOf(set).stats();
      assert.deepEqual([keys, evicted], [1, 1]);
      const results = [2, 3, 13, 14, 15].map((at) => fires(set, touch('a'), at));
      assert.deepEqual(results, [false, false, false, false, true], 'the window slides again');
    }
  });

  test('counts a merged event by its weight', () => {
    const merged = (count: number): TestEvent => ({ ...touch('a'), 'event.count': count });
    const set = compile(COUNT);
    assert.deepEqual(
      [merged(1), merged(2)].map((event, at) => fires(set, event, at)),
      [false, true],
    );
    assert.equal(fires(compile(COUNT), merged(1_000_000), 0), true);
    for (const nonsense of [0, -5, Number.NaN]) assert.equal(fires(compile(COUNT), merged(nonsense), 0), false);
    const scan = compile(SCAN);
    assert.equal(fires(scan, { ...connect(1), 'event.count': 1000 }, 0), false, 'one value is one, however often');
  });

  test('takes a field of several values as a whole, in its order', () => {
    const set = compile(
      '- rule: same\n  condition: event.action = exec\n  threshold: { count: 2, by: process.args, within: 10s }\n',
    );
    const run = (...args: string[]): TestEvent => createTestEvent('exec', { 'process.args': args });
    const events = [run('a', 'b'), run('b', 'a'), run('a'), run('a', 'b')];
    assert.deepEqual(
      events.map((event, at) => fires(set, event, at)),
      [false, false, false, true],
    );
  });

  test('adds numbers up, and is reached by their sum of any size', () => {
    const exit = (uptime: number | undefined, entity = 'a'): TestEvent =>
      createTestEvent('exit', { 'process.uptime': uptime, 'process.entity_id': entity });
    const sum = (wanted: number): RuleSet<TestEvent> =>
      compile(
        `- rule: sum\n  condition: event.action = exit\n  threshold: { sum: process.uptime, at_least: ${wanted}, by: [process.entity_id], within: 10s }\n`,
      );
    const small = sum(10);
    const steps = [exit(4), exit(5.5), exit(9, 'b'), exit(undefined), exit(-7), exit(0), exit(0.4), exit(0.1)];
    assert.deepEqual(
      steps.map((event, at) => fires(small, event, at)),
      [false, false, false, false, false, false, false, true],
    );
    const slides = sum(10);
    assert.deepEqual(
      [fires(slides, exit(9), 0), fires(slides, exit(2), 11), fires(slides, exit(8), 12)],
      [false, false, true],
    );
    const tiny = sum(0.5);
    assert.deepEqual([fires(tiny, exit(0.25), 0), fires(tiny, exit(0.25), 1)], [false, true]);
    const fractions: readonly (readonly [uptime: number, at: number])[] = [
      [0.9, 0],
      [0.9, 9],
      [0.5, 18],
      [0.7, 19],
      [0.9, 20],
    ];
    const few = sum(2);
    assert.deepEqual(
      fractions.map(([uptime, at]) => fires(few, exit(uptime), at)),
      [false, false, false, false, true],
    );
    assert.equal(fires(sum(LIMITS.thresholdSum), exit(LIMITS.thresholdSum), 0), true);
    for (const wrong of [0, -1, LIMITS.thresholdSum + 1])
      assert.match(sum(wrong).diagnostics[0]?.message ?? '', /a number above 0, up to 1000000000000000, found/);
    const large = sum(1_000_000_000_000);
    let fired = 0;
    for (let n = 1; n <= 20_000 && fired === 0; n++) if (fires(large, exit(100_000_000), n / 3000)) fired = n;
    assert.ok(Math.abs(fired - 10_000) <= 10, `${fired}`);
    for (const { value } of thresholdsOf(large).snapshot()) assert.ok(value.length < 20_000);
    assert.match(
      compile('- rule: r\n  condition: user.id exists\n  threshold: { sum: user.name, at_least: 5, within: 1s }\n')
        .diagnostics[0]?.message ?? '',
      /'user.name' is not a number/,
    );
  });

  test('is quiet for its key until the window has passed, then counts again', () => {
    const set = compile(COUNT);
    const times = [0, 1, 2, 3, 4, 11.9, 12, 13, 14];
    assert.deepEqual(
      times.filter((at) => fires(set, touch('a'), at)),
      [2, 14],
    );
  });

  test('on distinct values counts each once', () => {
    const set = compile(SCAN);
    const steps: readonly (readonly [port: number, at: number])[] = [
      [80, 0],
      [80, 1],
      [81, 2],
      [81, 3],
      [82, 4],
    ];
    assert.deepEqual(
      steps.map(([port, at]) => fires(set, connect(port), at)),
      [false, false, false, false, true],
    );
  });

  test('on distinct values forgets what was last seen before the window', () => {
    const set = compile(SCAN);
    const steps: readonly (readonly [port: number, at: number])[] = [
      [80, 0],
      [81, 5],
      [82, 11],
      [80, 12],
    ];
    assert.deepEqual(
      steps.map(([port, at]) => fires(set, connect(port), at)),
      [false, false, false, true],
    );
  });

  test('counts a late event as if it came now', () => {
    const set = compile(COUNT);
    assert.deepEqual(
      [20, 1, 21].map((at) => fires(set, touch('a'), at)),
      [false, false, true],
    );
  });

  test('counts events without the key as a group of their own, and ignores events without the distinct value', () => {
    const set = compile(COUNT + SCAN.replace('condition: destination.port exists', 'condition: user.id exists'));
    const bare = createTestEvent('exec', { 'user.id': 0 });
    assert.deepEqual(
      [1, 2, 3].map((at) => matches(set, bare, at * SECOND)),
      [[], [], ['burst']],
    );
  });
});

describe('a threshold in tumbling windows', () => {
  test('counts each window separately, and matches once in it', () => {
    const set = compile(COUNT.replace('within: 10s', 'within: 10s, window: tumbling'));
    const times = [8, 9, 11, 12, 13, 14, 20, 21, 22];
    assert.deepEqual(
      times.filter((at) => fires(set, touch('a'), at)),
      [13, 22],
    );
  });
});

describe('a threshold of regular events', () => {
  const REGULAR =
    '- rule: beacon\n  condition: user.id exists\n  threshold: { regular: 5, every: 2s, by: [process.entity_id], within: 10m }\n';
  const firing = (times: readonly number[]): number[] => {
    const set = compile(REGULAR);
    return times.filter((at) => fires(set, touch('a'), at));
  };
  const row = (gaps: readonly number[]): number[] => {
    let at = 0;
    return [0, ...gaps.map((gap) => (at += gap))];
  };

  test('is crossed by enough events in a row whose gaps differ by at most a third', () => {
    assert.deepEqual(firing(row([60, 60, 60, 60])), [240]);
    assert.deepEqual(firing(row([45, 60, 50, 58])), [213]);
    assert.deepEqual(firing(row([2, 2, 2, 2])), [8]);
    assert.deepEqual(firing(row([20, 60, 60, 60])), [], 'one gap is another');
    assert.deepEqual(firing(row([7, 31, 60, 60, 60, 60])), [278], 'what came before is given up');
  });

  test('counts simultaneous events as one, and restarts after an irregular event', () => {
    assert.deepEqual(firing(row([0.1, 60, 0.2, 0.2, 60, 60, 0.1, 60]).slice(0, -1)), []);
    assert.deepEqual(firing(row([0.1, 60, 0.2, 0.2, 60, 60, 60])), [240.5]);
    assert.deepEqual(firing(row([60, 60, 1.5, 58.5, 60])), []);
  });

  test('counts a merged event as one event', () => {
    const set = compile(REGULAR);
    const merged = { ...touch('a'), 'event.count': 9 };
    const at = row([60, 60, 60, 60, 60, 60, 60, 60]);
    assert.deepEqual(
      at.filter((time) => fires(set, merged, time)),
      [240],
    );
  });

  test('is not crossed by a burst, by constant events or by random events', () => {
    assert.deepEqual(firing(Array.from({ length: 200 }, (_, n) => n / 10)), []);
    assert.deepEqual(firing(Array.from({ length: 200 }, (_, n) => n * 1.9)), []);
    assert.deepEqual(firing(row([3, 40, 8, 90, 5, 17, 2, 33, 71, 4, 12])), []);
    assert.deepEqual(firing(row([150, 150, 150, 150])), [], 'the first is too old');
  });

  test('continues after a restart', () => {
    const before = compile(REGULAR);
    for (const at of [0, 60, 120]) assert.equal(fires(before, touch('a'), at), false);
    const memory = new RuleMemory();
    const after = compile(REGULAR, { memory });
    for (const { key, value } of thresholdsOf(before).snapshot()) thresholdsOf(after).restore(key, value);
    assert.deepEqual(
      [180, 240].map((at) => fires(after, touch('a'), at)),
      [false, true],
    );
  });
});

describe('alerts of a rule', () => {
  const RULE = '- rule: r\n  condition: user.id exists\n';

  test('are suppressed for a while, for each key separately, and counted', () => {
    const memory = new RuleMemory();
    const set = compile(`${RULE}  suppress: { by: [process.entity_id], for: 10s }\n`, { memory });
    const times = [0, 1, 9, 10, 11, 20];
    assert.deepEqual(
      times.filter((at) => fires(set, touch('a'), at)),
      [0, 10, 20],
    );
    assert.equal(fires(set, touch('b'), 20), true);
    assert.equal(memory.stats().thresholds.held, 3);
  });

  test('are throttled within a time, and the rest is counted', () => {
    const memory = new RuleMemory();
    const set = compile(`${RULE}  throttle: { alerts: 2, per: 10s }\n`, { memory });
    const times = [1, 2, 3, 4, 10, 11, 12, 25];
    assert.deepEqual(
      times.filter((at) => fires(set, touch('a'), at)),
      [1, 2, 10, 11, 25],
    );
    assert.equal(memory.stats().thresholds.held, 3);
    memory.tick(set.rules, 40 * SECOND, () => {});
    assert.equal(memory.stats().thresholds.keys, 0);
  });

  test('are limited after a sequence, too', () => {
    const condition = 'sequence by process.entity_id with maxspan=9s [ user.id exists ] with runs=2';
    const set = compile(`- rule: r\n  condition: ${condition}\n  throttle: { alerts: 1, per: 1m }\n`);
    assert.deepEqual(
      [1, 2, 3, 4, 61, 62].filter((at) => fires(set, touch('a'), at)),
      [2, 62],
    );
  });
});
