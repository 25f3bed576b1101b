import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventRows, PartialRows, SequenceKeys } from '@ringfence/sequence-store';
import fc from 'fast-check';
import { holdsBetween } from '../src/compile/evaluate.ts';
import { StateError } from '../src/diagnostics/errors.ts';
import { explainExpression } from '../src/explain/explain.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { Sequence } from '../src/model/sequence.ts';
import { EventReader } from '../src/state/event-reader.ts';
import { RuleMemory } from '../src/state/memory.ts';
import { takeByKey } from '../src/state/sequences.ts';
import { compile, createTestEvent } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const SECOND = 1_000_000;
const AB = 'sequence by process.entity_id with maxspan=10s [ event.action = exec ] [ event.action = connect ]';

function createTestPlayer(condition: string, memory = new RuleMemory()) {
  const set = compile(`- rule: r\n  condition: ${JSON.stringify(condition)}\n`, { memory });
  assert.deepEqual(set.diagnostics, []);
  const reported: string[] = [];
  const take = (_: unknown, match?: { steps: readonly { events: readonly string[] }[] }): void => {
    reported.push(match!.steps.map(({ events }) => events.join('+')).join(' '));
  };
  return {
    reported,
    memory,
    stats: () => memory.stats().sequences,
    happen: (kind: string, key: string, at: number, more = {}): number =>
      set.matcher.match(eventOf(kind, key, at, more), take, at * SECOND),
    tick: (at: number): void => memory.tick(set.rules, at * SECOND, take),
  };
}

const eventOf = (kind: string, key: string, at: number, more: object): TestEvent =>
  createTestEvent(kind, { 'process.entity_id': key, 'event.id': `${kind}${at}`, ...more });

describe('sequences under attack', () => {
  test('evict the oldest of 100,000 keys with odd texts, and count them', () => {
    const { happen, stats, reported } = createTestPlayer(AB);
    const texts = ['\0', '\n', '"', '\u{1f600}', '__proto__', ' '.repeat(10_000), '[', 's['];
    const keyOf = (n: number): string => `${texts[n % texts.length]}${n}`;
    for (let n = 0; n < 100_000; n++) happen('exec', keyOf(n), n / 1e6);
    const { keys, hits, evicted } = stats();
    assert.deepEqual([keys, evicted], [10_000, 90_000]);
    assert.equal(hits, 2 * keys, 'each is remembered as what has begun and as what may be reordered');
    happen('connect', keyOf(0), 0.2);
    happen('connect', keyOf(99_999), 0.2);
    assert.equal(reported.length, 1, 'what was forgotten has not begun');
  });

  test('hold no more of a flooded key than its runs and the events that may be reordered', () => {
    const runs = `[ event.action = exec ] with runs=${LIMITS.thresholdCount}`;
    const { happen, stats } = createTestPlayer(
      `sequence by process.entity_id with maxspan=1h ${runs} [ event.action = connect ] ${runs} [ event.action = exit ]`,
    );
    for (let n = 0; n < 20_000; n++) happen(n % 1000 === 999 ? 'connect' : 'exec', 'p', n / 1000);
    const most = 2 * (LIMITS.thresholdCount + LIMITS.recentHits) + LIMITS.recentHits + 3 * 3 * LIMITS.waiting;
    assert.ok(stats().hits <= most, `${stats().hits} > ${most}`);
  });

  test('hold no more events than the limit, and count the evicted keys', () => {
    const memory = new RuleMemory({ sequences: { hits: 1_000 } });
    const { happen, stats } = createTestPlayer(AB, memory);
    for (let n = 0; n < 5_000; n++) happen('exec', `p${n}`, n / 1e6);
    assert.ok(stats().hits <= 1_000);
    assert.equal(stats().evicted, 5_000 - stats().keys);
  });

  test('continue after an absurd time once a tick corrects the clock', () => {
    for (const absurd of [1e9, Number.MAX_SAFE_INTEGER / SECOND]) {
      const { happen, tick, reported, stats } = createTestPlayer(AB);
      happen('exec', 'p', 1);
      happen('exec', 'q', absurd);
      happen('exec', 'r', 2);
      assert.equal(stats().late, 1);
      tick(3);
      assert.equal(stats().evicted, 2, 'what was of that time');
      happen('connect', 'p', 4);
      happen('exec', 's', 5);
      happen('connect', 's', 6);
      happen('exec', 't', 7);
      happen('connect', 't', 18);
      assert.deepEqual(reported, ['exec1 connect4', 'exec5 connect6']);
      tick(100);
      assert.equal(stats().keys, 0);
    }
  });

  test('count a repeated event as one more event, never as two steps', () => {
    const { happen, reported } = createTestPlayer(AB);
    for (const at of [1, 1, 1]) happen('exec', 'p', at);
    for (const at of [2, 2, 2]) happen('connect', 'p', at);
    assert.deepEqual(reported, ['exec1 connect2']);
  });
});

const FORMS = [
  `${AB} ![ event.action = exit ]`,
  'sequence by process.entity_id with maxspan=10s ![ event.action = exit ] [ event.action = exec ] with runs=2 [ event.action = connect ]',
  'sequence by process.entity_id with maxspan=10s [ event.action = exec ] as $a [ event.action = connect and process.name = $a.process.name ] [ event.action = open ]',
  'sequence any order by process.entity_id with maxspan=10s [ event.action = exec ] [ event.action = connect ] [ event.action = open ]',
];

test('sequences release every row after any order of events', () => {
  const happening = fc.tuple(fc.constantFrom('exec', 'connect', 'open', 'exit'), fc.nat(30), fc.nat(2), fc.nat(2));
  const property = fc.property(
    fc.nat(FORMS.length - 1),
    fc.array(happening, { maxLength: 60, size: 'max' }),
    (form, all) => {
      const { rules } = compile(`- rule: r\n  condition: ${JSON.stringify(FORMS[form])}\n`);
      const sequence = rules[0]!.sequence!;
      const events = new EventRows();
      const partials = new PartialRows(events);
      const totals = { keys: 0, held: 0 };
      const keys = new SequenceKeys('r', partials, totals, true);
      keys.use(sequence as Sequence<unknown>, holdsBetween);
      const reader = new EventReader(sequence as Sequence<unknown>, events);
      for (const [n, [kind, late, key, name]] of all.entries()) {
        const event = eventOf(kind, `p${key}`, n, { 'process.name': `n${name}` });
        const bits = sequence.steps.reduce((sum, { expression }, step) => {
          return explainExpression(expression, event).holds ? sum | (1 << step) : sum;
        }, 0);
        takeByKey({ keys, reader }, bits, event, (n - late / 15) * SECOND, n * SECOND, (n - 2) * SECOND);
        keys.due((n - 2) * SECOND);
        if (n % 7 === 0) keys.expire(n * SECOND, (n - 2) * SECOND);
        assert.deepEqual(totals, { keys: keys.size, held: keys.held });
      }
      keys.clear();
      assert.deepEqual(
        [totals, keys.held, partials.used, events.used, events.ids.stored],
        [{ keys: 0, held: 0 }, 0, 0, 0, 0],
      );
    },
  );
  fc.assert(property, { numRuns: 300 });
});

/** Returns an entry with the value at a position, depth first, replaced. */
function damage(value: unknown, at: number, by: unknown): unknown {
  let left = at;
  const visit = (node: unknown): unknown => {
    if (left-- === 0) return by;
    return Array.isArray(node) ? node.map(visit) : node;
  };
  return visit(value);
}

describe('saved state of sequences', () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(null, -1, 0, 1, 2, 31, 1e300, -1e300, 0.5, '', 'x', true, [], [[]], [0, 0], {}),
    fc.nat(100),
    fc.array(fc.nat(3), { maxLength: 40 }),
  );
  const happenings = fc.array(fc.tuple(fc.constantFrom('exec', 'connect', 'open', 'exit'), fc.nat(9)), {
    minLength: 4,
    maxLength: 12,
  });

  test('that is damaged is refused on reading, dropped on use, or harmless', () => {
    let refused = 0;
    let dropped = 0;
    const property = fc.property(fc.nat(FORMS.length - 1), happenings, fc.nat(60), odd, (form, before, place, by) => {
      const first = createTestPlayer(FORMS[form]!);
      for (const [n, [kind, late]] of before.entries()) first.happen(kind, 'p', 10 + n - late / 5);
      const memory = new RuleMemory();
      for (const { key, value } of first.memory.snapshot()) {
        const entry = JSON.stringify(damage(JSON.parse(Buffer.from(value).toString()), place, by));
        try {
          memory.restore(key, Buffer.from(entry));
        } catch (error) {
          assert.ok(error instanceof StateError, `${entry}: ${error}`);
          refused++;
        }
      }
      const next = createTestPlayer(FORMS[form]!, memory);
      for (const at of [11, 21, 31]) {
        for (const kind of ['exec', 'connect', 'open', 'exit', 'exec', 'exec']) next.happen(kind, 'p', at);
        next.tick(at + 5);
      }
      dropped += next.stats().damaged;
      next.tick(1e7);
      assert.deepEqual([next.stats().keys, next.stats().hits], [0, 0], 'nothing stays for ever');
    });
    fc.assert(property, { numRuns: 300 });
    assert.ok(refused > 20 && dropped > 0, `${refused} refused, ${dropped} dropped`);
  });

  test('is dropped as a whole if a kept event is damaged', () => {
    const { happen, memory } = createTestPlayer(`${AB} ![ event.action = exit ]`);
    happen('exec', 'p', 1);
    happen('connect', 'p', 2);
    const [entry] = [...memory.snapshot()];
    const fields = JSON.parse(Buffer.from(entry!.value).toString());
    for (const hit of fields[4]) hit[6] = 'kept';
    const value = Buffer.from(JSON.stringify(fields));
    const checks: string[] = [];
    const isKept = (kept: string): boolean => checks.push(kept) > 1;
    assert.throws(() => new RuleMemory().restore(entry!.key, value, { isKept }), { name: 'StateError' });
    new RuleMemory().restore(entry!.key, value, { isKept });
    assert.deepEqual(checks, ['kept', 'kept']);
  });
});
