import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SequenceMatch } from '../src/model/sequence.ts';
import type { RuleSet } from '../src/rule-set.ts';
import { RuleMemory } from '../src/state/memory.ts';
import { compile, createTestEvent } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

/** Times are whole tenths of a second: with fractions, two ways to compute the span could differ by rounding. */
const TENTH_US = 100_000;
const MAXSPAN = 100;

/** `user.id` is a set of letters as bits: an event may fit several steps. */
interface Happening {
  readonly bits: number;
  readonly key: string;
  readonly at: number;
  readonly id: string;
}

/** A step as this test's own search reads it. */
interface Step {
  readonly kind: 'event' | 'missing' | 'until';
  readonly letter: number;
  /** @default 1; the search supports no other value */
  readonly runs?: number;
}

const LETTERS = ['a', 'b', 'c', 'd'];
const isLetter = (letter: number): string => `process.args = ${LETTERS[letter]}`;

function conditionOf(steps: readonly Step[]): string {
  const written = steps.map(({ kind, letter, runs = 1 }) => {
    const sign = kind === 'missing' ? '!' : kind === 'until' ? 'until ' : '';
    return `${sign}[ ${isLetter(letter)} ]${runs === 1 ? '' : ` with runs=${runs}`}`;
  });
  return `sequence by process.entity_id with maxspan=${MAXSPAN / 10}s ${written.join(' ')}`;
}

function eventOf({ bits, key, id }: Happening): TestEvent {
  const args = LETTERS.filter((_, letter) => (bits & (1 << letter)) !== 0);
  return createTestEvent('exec', { 'process.args': args, 'process.entity_id': key, 'event.id': id });
}

function play(
  condition: string,
  happenings: readonly Happening[],
  more: { between?: (set: RuleSet<TestEvent>, n: number) => RuleSet<TestEvent> } = {},
): string[] {
  const reported: string[] = [];
  const report = (_: unknown, match?: SequenceMatch): void => {
    reported.push(match!.steps.flatMap(({ events }) => events).join(' '));
  };
  let set = compile(`- rule: r\n  condition: ${JSON.stringify(condition)}\n`, { memory: new RuleMemory() });
  assert.deepEqual(set.diagnostics, []);
  for (const [number, happening] of happenings.entries()) {
    set.matcher.match(eventOf(happening), report, happening.at * TENTH_US);
    set = more.between?.(set, number) ?? set;
  }
  set.memory.of(eventOf(happenings[0]!)).tick(set.rules, 1e9, report);
  return reported;
}

/**
 * Finds the matches of a sequence by searching all events: of the matches that an event completes, the one with the
 * latest events counts. An event that fits a step and came before the chosen one is over for that step.
 */
function search(steps: readonly Step[], happenings: readonly Happening[]): string[] {
  const used = new Set<Happening>();
  const reported: string[] = [];
  const events = steps.flatMap(({ kind }, index) => (kind === 'event' ? [index] : []));
  const fits = (happening: Happening, step: number): boolean => (happening.bits & (1 << steps[step]!.letter)) !== 0;
  for (const key of new Set(happenings.map((happening) => happening.key))) {
    const ofKey = happenings.filter((happening) => happening.key === key);
    const none = (step: number, after: number, before: number): boolean =>
      !ofKey.some((happening, index) => index > after && index < before && fits(happening, step));
    const over = events.map(() => -1);
    /** Returns the indexes of events for the steps up to `n`, the last of them before `before`; latest first. */
    const back = (n: number, before: number, last: number): number[] | undefined => {
      for (let i = before - 1; i >= 0; i--) {
        const happening = ofKey[i]!;
        if (ofKey[last]!.at - happening.at > MAXSPAN) return undefined;
        if (i <= over[n]! || used.has(happening) || !fits(happening, events[n]!)) continue;
        if (!between(n, i, before, last)) continue;
        const earlier = n === 0 ? [] : back(n - 1, i, last);
        if (earlier !== undefined) return [...earlier, i];
      }
      return undefined;
    };
    const between = (n: number, at: number, next: number, last: number): boolean => {
      const until = steps.findIndex(({ kind }) => kind === 'until');
      if (until !== -1 && !none(until, at - 1, last)) return false;
      const guards = steps.slice(events[n]! + 1, events[n + 1]).map((_, offset) => events[n]! + 1 + offset);
      if (n < events.length - 1 && !guards.every((guard) => none(guard, at, next))) return false;
      if (n > 0) return true;
      const old = ofKey.findIndex((happening) => ofKey[at]!.at - happening.at <= MAXSPAN);
      return steps.slice(0, events[0]).every((_, guard) => none(guard, old - 1, at));
    };
    for (const [last, happening] of ofKey.entries()) {
      const n = events.length - 1;
      if (!fits(happening, events[n]!)) continue;
      const earlier = back(n - 1, last, last);
      if (earlier === undefined) continue;
      const whole = [...earlier, last].map((index) => ofKey[index]!);
      for (const part of whole) used.add(part);
      for (const [step, index] of [...earlier, last].entries()) over[step] = index;
      reported.push(whole.map(({ id }) => id).join(' '));
    }
  }
  return reported.sort();
}

const bitsOf = (text: string): number =>
  LETTERS.reduce((all, happening, n) => (text.includes(happening) ? all | (1 << n) : all), 0);

const letter = fc.nat(3);
const stepsOf = (letters: readonly number[]): Step[] =>
  letters.map((happening) => ({ kind: 'event', letter: happening }));
/** If an event can fit two steps, the chosen one decides what becomes of other events. */
const distinct = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 2 }).map(stepsOf);
const overlapping = fc.array(letter, { minLength: 2, maxLength: 4 }).map(stepsOf);
const guarded: fc.Arbitrary<Step[]> = fc
  .tuple(distinct, fc.array(fc.tuple(letter, letter), { maxLength: 2 }), fc.option(letter))
  .map(([steps, guards, until]) => {
    const all: Step[] = [...steps];
    for (const [place, guard] of guards) all.splice(place % steps.length, 0, { kind: 'missing', letter: guard });
    return until === null ? all : [...all, { kind: 'until', letter: until }];
  });

const RUNS = fc.constantFrom(1, 1, 2, 5);
/** With runs, and with a forbidden event at the end. */
const running = fc
  .tuple(guarded, fc.array(RUNS, { minLength: 9, maxLength: 9 }), fc.option(letter))
  .map(([steps, runs, last]): Step[] => {
    const all = steps.map((step, n) => (step.kind === 'event' ? { ...step, runs: runs[n]! } : step));
    const end = all.at(-1)!.kind === 'until' ? all.length - 1 : all.length;
    return last === null ? all : all.toSpliced(end, 0, { kind: 'missing', letter: last });
  });

function streamOf(bits: fc.Arbitrary<number>, longest = 15): fc.Arbitrary<Happening[]> {
  const happening = fc.tuple(bits, fc.constantFrom('p', 'p', 'q'), fc.integer({ min: 1, max: longest }));
  return fc.array(happening, { minLength: 8, maxLength: 40, size: 'max' }).map((all) => {
    let at = 1000;
    return all.map(([has, key, wait], index): Happening => {
      at += wait;
      return { bits: has, key, at, id: `e${index}` };
    });
  });
}
const single = streamOf(letter.map((happening) => 1 << happening));
const several = streamOf(fc.integer({ min: 1, max: 15 }));

/** Many events within the time in which events may be late. */
const dense = fc.oneof(several, streamOf(fc.integer({ min: 1, max: 15 }), 3));

const DELAYS = fc.array(fc.nat(19), { minLength: 40, maxLength: 40 });

/** Returns the events in the order of their arrival. */
function arriving(happenings: readonly Happening[], delays: readonly number[]): Happening[] {
  return happenings
    .map((happening, index) => ({ happening, comes: happening.at + delays[index]! }))
    .sort((a, b) => a.comes - b.comes)
    .map(({ happening }) => happening);
}

function chainsOf(lines: readonly string[], happenings: readonly Happening[]): Happening[][] {
  const byId = new Map(happenings.map((happening) => [happening.id, happening]));
  return lines.map((line) => line.split(' ').map((id) => byId.get(id)!));
}

/** Plays the events, and restarts from the changelog behind event number `cut`. */
function playRestarted(condition: string, coming: readonly Happening[], cut: number): string[] {
  const log = new Map<string, Uint8Array | null>();
  const between = (set: RuleSet<TestEvent>, n: number): RuleSet<TestEvent> => {
    const memory = set.memory.of(eventOf(coming[n]!));
    for (const { key, value } of memory.takeChanges()) log.set(key, value);
    const whole = [...memory.snapshot()].map(({ key, value }) => key + Buffer.from(value)).sort();
    const logged = [...log].flatMap(([key, value]) => (value === null ? [] : [key + Buffer.from(value)])).sort();
    assert.deepEqual(logged, whole, 'the changelog holds all there is');
    if (n !== cut) return set;
    const restored = new RuleMemory();
    for (const [key, value] of log) if (value !== null) restored.restore(key, value);
    return compile(`- rule: r\n  condition: ${JSON.stringify(condition)}\n`, { memory: restored });
  };
  return play(condition, coming, { between });
}

describe('sequences of random events', () => {
  test('are the same as an exhaustive search over all events finds', () => {
    let found = 0;
    fc.assert(
      fc.property(guarded, single, (steps, happenings) => {
        const wanted = search(steps, happenings);
        found += wanted.length;
        assert.deepEqual(play(conditionOf(steps), happenings).sort(), wanted);
      }),
      { numRuns: 1000 },
    );
    assert.ok(found > 500, `only ${found} sequences in all`);
  });

  test('are found even if events arrive late', () => {
    fc.assert(
      fc.property(distinct, single, DELAYS, (steps, happenings, delays) => {
        const keys = (lines: readonly string[]): string[] =>
          [...new Set(chainsOf(lines, happenings).map(([first]) => first!.key))].sort();
        const reported = play(conditionOf(steps), arriving(happenings, delays));
        assert.deepEqual(keys(reported), keys(search(steps, happenings)));
      }),
      { numRuns: 1000 },
    );
  });

  test('satisfy their steps in any order of arrival, and no event is part of two', () => {
    fc.assert(
      fc.property(overlapping, several, DELAYS, (steps, happenings, delays) => {
        const reported = chainsOf(play(conditionOf(steps), arriving(happenings, delays)), happenings);
        for (const chain of reported) {
          for (const [n, happening] of chain.entries()) {
            assert.ok((happening.bits & (1 << steps[n]!.letter)) !== 0 && happening.key === chain[0]!.key);
            assert.ok(n === 0 || happening.at > chain[n - 1]!.at);
          }
          assert.ok(chain.at(-1)!.at - chain[0]!.at <= MAXSPAN);
        }
        const all = reported.flat();
        assert.equal(new Set(all).size, all.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('continue from saved state after a restart at any point without a difference', () => {
    fc.assert(
      fc.property(running, dense, fc.nat(39), fc.option(DELAYS), (steps, happenings, cut, delays) => {
        // Events of a key without a first step are not saved, so each key gets one before all others.
        const { letter: first } = steps.find(({ kind }) => kind === 'event')!;
        const begun = ['p', 'q'].map((key): Happening => ({ bits: 1 << first, key, at: 1000, id: `begin ${key}` }));
        const coming = [...begun, ...(delays === null ? happenings : arriving(happenings, delays))];
        const condition = conditionOf(steps);
        assert.deepEqual(playRestarted(condition, coming, cut), play(condition, coming));
      }),
      { numRuns: 500 },
    );
  });

  test('do not start again after a restart with an event of a reported sequence', () => {
    const letters = ['d', 'c', 'bc', 'd', 'bd', 'bcd', 'bc', 'c', 'bc'];
    const happenings = letters.map((text, index): Happening => {
      return { bits: bitsOf(text), key: 'p', at: 1000 + index, id: `e${index}` };
    });
    const condition = conditionOf(stepsOf([3, 2, 1]));
    const reported = play(condition, happenings);
    assert.deepEqual(reported, ['e0 e1 e2', 'e4 e5 e6']);
    for (const cut of happenings.keys()) assert.deepEqual(playRestarted(condition, happenings, cut), reported);
  });

  test('that completed in time are reported even if a late event causes a new evaluation', () => {
    const coming: [letters: string, at: number][] = [
      ['abd', 985],
      ['ac', 977],
      ['ad', 993],
      ['ab', 986],
      ['abd', 981],
      ['abd', 1008],
      ['ab', 1016],
      ['a', 1041],
      ['a', 1039],
    ];
    const happenings = coming.map(
      ([text, at], index): Happening => ({ bits: bitsOf(text), key: 'p', at, id: `e${index}` }),
    );
    const clock: Happening = { bits: 0b1000, key: 'q', at: 1006, id: 'clock' };
    const steps: Step[] = [...stepsOf([3, 2]), { kind: 'event', letter: 0, runs: 5 }, { kind: 'missing', letter: 0 }];
    const condition = conditionOf(steps).replace('maxspan=10s', 'maxspan=3s');
    assert.deepEqual(play(condition, [clock, ...happenings]), ['e0 e1 e3 e4 e2 e5 e6']);
  });
});
