import { durationText } from '@ringfence/base';
import type { Progress } from '@ringfence/sequence-store';
import { holdsBetween } from '../compile/evaluate.ts';
import { countedOperands, neededOperands } from '../language/resolve/operands-of.ts';
import { type Operand, readOperand } from '../model/expression.ts';
import type { CompiledRule, Summary } from '../model/rule.ts';
import { type Comparison, eventNumber, type Sequence, type SequenceStep } from '../model/sequence.ts';
import { keyOf } from '../state/key.ts';
import type { RuleMemory } from '../state/memory.ts';
import { type Explanation, explainExpression, shownValue } from './explain.ts';

/** Explains a rule that looks at several events: what each event contributes, and the state afterwards. */
export interface RunExplainer<E> {
  /** Call it before the matcher takes the event. Returns undefined if the event has no effect on the rule. */
  before(event: E): Explanation | undefined;
  /**
   * Call it behind the matcher: returns in words what the event has changed.
   * @param matched the event raised an alert of the rule
   */
  after(event: E, timeUs: number, matched: boolean): string;
  /** Returns in words what is unfinished at the end. */
  rest(timeUs: number): readonly string[];
}

/** Returns undefined if each event decides by itself: `explain` explains such rules. */
export function explainRun<E>(rule: CompiledRule<E>, memory: RuleMemory): RunExplainer<E> | undefined {
  if (rule.sequence !== undefined) return new SequenceRun(rule, rule.sequence, memory);
  if (
    rule.threshold === undefined &&
    rule.summary === undefined &&
    rule.firstSeen === undefined &&
    rule.limits === undefined
  )
    return undefined;
  return new CountedRun(rule, memory);
}

const HELD = 'is held back by suppress or throttle';

class SequenceRun<E> implements RunExplainer<E> {
  readonly #rule: CompiledRule<E>;
  readonly #sequence: Sequence<E>;
  readonly #memory: RuleMemory;
  readonly #happening: readonly SequenceStep<E>[];
  /** Keys with an unfinished sequence, and the text that shows them. */
  readonly #keys = new Map<string, string>();
  #held = 0;

  constructor(rule: CompiledRule<E>, sequence: Sequence<E>, memory: RuleMemory) {
    this.#rule = rule;
    this.#sequence = sequence;
    this.#memory = memory;
    this.#happening = sequence.steps.filter(({ kind }) => kind === 'event');
  }

  before(event: E): Explanation | undefined {
    this.#held = this.#memory.stats().thresholds.held;
    const parts = this.#sequence.steps.flatMap((step, index) => this.#part(step, index, event));
    if (parts.length === 0) return undefined;
    return { text: 'sequence', holds: parts.some(({ holds }) => holds), actual: undefined, parts };
  }

  #part(step: SequenceStep<E>, index: number, event: E): Explanation[] {
    const condition = explainExpression(step.expression, event);
    if (!condition.holds) return [];
    const key = keyOf(step.by, event);
    const joined = step.by.map((operand) => explainKey(operand, event));
    const compared = step.compares.map((comparison) => this.#compared(comparison, key, event));
    const parts = [condition, ...joined, ...compared];
    return [{ text: this.#named(step, index), holds: parts.every((part) => part.holds), actual: undefined, parts }];
  }

  #named({ kind, runs }: SequenceStep<E>, index: number): string {
    if (kind !== 'event') return kind;
    return `step ${eventNumber(this.#sequence, index)}${runs === 1 ? '' : `, one of ${runs}`}`;
  }

  /** Compares a field with the value of an earlier step's event, from the newest sequence that waits. */
  #compared({ test, earlier, stage }: Comparison<E>, key: string | undefined, event: E): Explanation {
    const { step, operand } = this.#sequence.kept[earlier]!;
    const earlierValue = key === undefined ? undefined : this.#progressOf(key)?.keptValue(stage, earlier);
    const value = readOperand(test.operand, event);
    const operator = { equals: '=', less: '<', lessOrEqual: '<=', greater: '>', greaterOrEqual: '>=' }[
      test.operator as string
    ];
    const text = `${test.operand.key} ${test.negated ? 'not ' : ''}${operator ?? test.operator} ${eventNumber(this.#sequence, step)}.${operand.key}`;
    return {
      text,
      holds: holdsBetween(test, value, earlierValue),
      actual: `${shownValue(value)}, ${shownValue(earlierValue)}`,
      parts: [],
    };
  }

  #progressOf(key: string): Progress | undefined {
    return this.#memory.sequences.progress(this.#rule, this.#sequence, key);
  }

  after(event: E, timeUs: number, matched: boolean): string {
    const steps = this.#sequence.steps.filter(({ expression }) => explainExpression(expression, event).holds);
    const found = new Map<string, string>();
    for (const { by } of steps) {
      const key = keyOf(by, event);
      if (key !== undefined) found.set(key, by.map((operand) => shownValue(readOperand(operand, event))).join(', '));
    }
    for (const [key, shown] of found) this.#keys.set(key, shown);
    if (matched) return 'completes the sequence';
    if (this.#rule.limits !== undefined && this.#memory.stats().thresholds.held > this.#held) return HELD;
    if (steps.length > 0 && found.size === 0) return 'takes no part: it lacks a field that the steps are joined by';
    const states = [...found.keys()].map((key) => this.#shown(key, timeUs)).filter((state) => state !== undefined);
    if (states.length > 0) return states.join('; ');
    return steps.some(({ kind }) => kind === 'until') ? 'ends the unfinished sequence' : 'no sequence has begun for it';
  }

  rest(timeUs: number): readonly string[] {
    return [...this.#keys].flatMap(([key, shown]) => {
      const state = this.#shown(key, timeUs);
      return state === undefined ? [] : [shown === '' ? state : `${shown}: ${state}`];
    });
  }

  /** Describes how far a key's unfinished sequence has come; undefined: no sequence has begun, or it is too old. */
  #shown(key: string, timeUs: number): string | undefined {
    const progress = this.#progressOf(key);
    if (progress === undefined) return undefined;
    const sinceUs = timeUs - this.#sequence.maxspanUs;
    const alive = progress.starts().map((start) => (start !== undefined && start >= sinceUs ? start : undefined));
    const runs = this.#runs(progress, sinceUs);
    return this.#sequence.ordered ? this.#inOrder(alive, runs, timeUs) : this.#inAnyOrder(alive, runs, timeUs);
  }

  #inOrder(alive: readonly (number | undefined)[], runs: readonly string[], timeUs: number): string | undefined {
    const reached = alive.findLastIndex((start) => start !== undefined);
    const start = alive[reached];
    const run = runs[reached + 1];
    if (start === undefined) return run;
    const all = this.#happening.length;
    const left = this.#left(start, timeUs);
    if (reached + 1 === all)
      return `all ${all} steps have come; it becomes an alert unless a forbidden event comes: ${left}`;
    return `${reached + 1} of ${all} steps; step ${reached + 2} is missing${run === undefined ? '' : ` (${run})`}: ${left}`;
  }

  #inAnyOrder(alive: readonly (number | undefined)[], runs: readonly string[], timeUs: number): string | undefined {
    const starts = alive.filter((start) => start !== undefined);
    if (starts.length === 0) return runs.find((run) => run !== undefined);
    const missing = alive.flatMap((start, stage) => (start === undefined ? [`${stage + 1}`] : []));
    const left = this.#left(Math.min(...starts), timeUs);
    return `${starts.length} of ${alive.length} steps; missing: ${missing.join(', ')}: ${left}`;
  }

  #left(startUs: number, timeUs: number): string {
    const leftUs = startUs + this.#sequence.maxspanUs - timeUs;
    return `${durationText(leftUs)} of ${durationText(this.#sequence.maxspanUs)} are left`;
  }

  /** Describes, by stage, how many events of a run have come. */
  #runs(progress: Progress, sinceUs: number): string[] {
    const texts: string[] = [];
    for (const { step, runs, count } of progress.runs(sinceUs)) {
      const stage = eventNumber(this.#sequence, step) - 1;
      if (count > 0) texts[stage] = `${count} of ${runs} of step ${stage + 1}`;
    }
    return texts;
  }
}

function explainKey<E>(operand: Operand<E>, event: E, isNeeded = true): Explanation {
  const value = readOperand(operand, event);
  return { text: `by ${operand.key}`, holds: value !== undefined || !isNeeded, actual: shownValue(value), parts: [] };
}

/** Explains thresholds, `first_seen`, suppression and throttling of a plain condition. */
class CountedRun<E> implements RunExplainer<E> {
  readonly #rule: CompiledRule<E>;
  readonly #memory: RuleMemory;
  #held = 0;
  /** When the combination was last seen before the event, in µs. */
  #lastUs: number | undefined;

  constructor(rule: CompiledRule<E>, memory: RuleMemory) {
    this.#rule = rule;
    this.#memory = memory;
  }

  before(event: E): Explanation | undefined {
    const { expression, threshold, summary, firstSeen } = this.#rule;
    this.#held = this.#memory.stats().thresholds.held;
    this.#lastUs = firstSeen === undefined ? undefined : this.#memory.seen.known(this.#rule, firstSeen, event).lastUs;
    const condition = explainExpression(expression, event);
    if (!condition.holds) return undefined;
    const counted = threshold ?? summary ?? firstSeen;
    const needed = neededOperands(counted);
    const parts = countedOperands(counted).map((operand) => explainKey(operand, event, needed.includes(operand)));
    return {
      text: 'counts',
      holds: parts.every((part) => part.holds),
      actual: undefined,
      parts: [condition, ...parts],
    };
  }

  after(event: E, timeUs: number, matched: boolean): string {
    const { threshold, summary, firstSeen } = this.#rule;
    if (this.#rule.limits !== undefined && this.#memory.stats().thresholds.held > this.#held) return HELD;
    if (firstSeen !== undefined) return this.#seen(event, timeUs, matched);
    if (summary !== undefined) return this.#counted(summary, event);
    if (threshold === undefined) return 'matches';
    const { count, quietUntilUs } = this.#memory.thresholds.counted(this.#rule, threshold, event);
    if (matched) return `reaches ${threshold.atLeast}`;
    if (quietUntilUs > timeUs) return `it has matched and counts again in ${durationText(quietUntilUs - timeUs)}`;
    const row = threshold.everyUs === undefined ? '' : 'in a row at regular times ';
    return `${count} of ${threshold.atLeast} ${row}within ${durationText(threshold.withinUs)}`;
  }

  #counted(summary: Summary<E>, event: E): string {
    const count = this.#memory.summaries.counted(this.#rule, summary, event);
    return `${count} in its window, which is evaluated after ${durationText(summary.withinUs)}`;
  }

  #seen(event: E, timeUs: number, matched: boolean): string {
    const { firstSeen } = this.#rule;
    if (matched) return 'is new';
    const { sinceUs } = this.#memory.seen.known(this.#rule, firstSeen!, event);
    const agoUs = timeUs - (this.#lastUs ?? Number.NEGATIVE_INFINITY);
    if (agoUs < firstSeen!.withinUs) return `is known: it was seen ${durationText(agoUs)} before`;
    const leftUs = sinceUs + firstSeen!.learnUs - timeUs;
    return leftUs > 0 ? `is learned: the rule learns for ${durationText(leftUs)} more` : "lacks a field of 'by'";
  }

  rest(): readonly string[] {
    return [];
  }
}
