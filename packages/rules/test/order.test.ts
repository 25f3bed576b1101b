import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Junction } from '../src/compile/order/junction.ts';
import type { FieldCatalogue, FieldSpec } from '../src/model/catalogue.ts';
import { compileRules, type RuleSet } from '../src/rule-set.ts';
import { kinds, type TestEvent } from './support/events.ts';

/** Samples after which an order has been reviewed more than once. */
const SAMPLES = 200;

describe('a junction', () => {
  const sampled = (junction: Junction, samples: number, ns: readonly number[]): void => {
    for (let i = 0; i < samples; i++)
      junction.sample((part) => ({ value: part(), ns: ns[junction.parts.indexOf(part)]! }));
  };

  test('evaluates the part with the best ratio of decisions to cost first, and keeps its result', () => {
    for (const kind of ['and', 'or'] as const) {
      const decisive = kind === 'or';
      let asked: number[] = [];
      const part = (number: number, decides: () => boolean) => () => {
        asked.push(number);
        return decides() ? decisive : !decisive;
      };
      let event = 0;
      const junction = new Junction(kind, [
        part(0, () => false),
        part(1, () => event % 4 === 0),
        part(2, () => event % 4 > 0),
        part(3, () => true),
      ]);
      for (let i = 0; i < SAMPLES; i++) {
        event++;
        sampled(junction, 1, [10, 20, 20, 40]);
      }
      assert.deepEqual(junction.order(), [2, 3, 1, 0]);
      for (event = 0; event < 8; event++) {
        asked = [];
        assert.equal(junction.condition(), decisive);
        assert.equal(asked.length, event % 4 === 0 ? 2 : 1);
      }
    }
  });

  test('changes the order when another part decides', () => {
    let first = true;
    const junction = new Junction('and', [() => !first, () => first]);
    sampled(junction, SAMPLES, [20, 20]);
    assert.deepEqual(junction.order(), [0, 1]);
    first = false;
    sampled(junction, SAMPLES, [20, 20]);
    assert.deepEqual(junction.order(), [1, 0]);
  });

  test('ignores a few slow samples and small differences', () => {
    const junction = new Junction('and', [() => false, () => false]);
    for (let i = 0; i < SAMPLES; i++) sampled(junction, 1, [i % 10 === 0 ? 1e6 : 20, 19]);
    assert.deepEqual(junction.order(), [0, 1]);
  });
});

describe('the order of evaluation', () => {
  /** In ms; reading `slow` takes 10 ns. */
  let now = 0;
  let reads = 0;
  const slow: FieldSpec<TestEvent> = {
    name: 'slow',
    type: 'number',
    doc: 'Slow to read.',
    get: (event) => {
      now += 1e-5;
      reads++;
      return event['slow'];
    },
  };
  const name: FieldSpec<TestEvent> = { name: 'name', type: 'string', doc: 'A name.', get: (event) => event['name'] };
  const catalogue: FieldCatalogue<TestEvent> = { fields: [slow, name] };
  const compiled = (condition: string, clock: (() => number) | null): RuleSet<TestEvent> =>
    compileRules({
      sources: [{ name: 'order.yaml', text: `- rule: r\n  condition: ${condition}\n` }],
      catalogue,
      kinds,
      clock,
    });
  const event: TestEvent = { kind: 'exec', slow: 1, name: 'a' };
  /** Counts the reads of `slow` while that many events are matched. */
  function readsOf(set: RuleSet<TestEvent>, events: number): number {
    reads = 0;
    for (let i = 0; i < events; i++)
      assert.equal(
        set.matcher.match(event, () => {}, 0),
        0,
      );
    return reads;
  }

  // These conditions need no literal, and by estimate comparing a number is cheaper than searching a text.
  for (const condition of [
    "slow > 0 and not name regex 'a+'",
    "not (slow > 1 or name regex 'a+')",
    "(slow > 0 and not name regex 'a+') or (slow > 0 and not name regex 'aa*')",
  ])
    test(`follows the measured costs: ${condition}`, () => {
      assert.equal(readsOf(compiled(condition, null), 10_000), 10_000);
      const measured = compiled(condition, () => now);
      readsOf(measured, 10_000);
      assert.ok(readsOf(measured, 10_000) < 5_000, `only samples may read it, but it was read ${reads} times`);
    });
});
