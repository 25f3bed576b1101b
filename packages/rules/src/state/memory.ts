import { StateError } from '../diagnostics/errors.ts';
import type { CompiledRule, FirstSeen } from '../model/rule.ts';
import type { SequenceMatch } from '../model/sequence.ts';
import type { Changes, StateChange } from './codec.ts';
import { type SeenLimits, SeenState, type SeenStats } from './seen.ts';
import { type SequenceLimits, SequenceState, type SequenceStats } from './sequences.ts';
import { type SummaryLimits, SummaryState, type SummaryStats } from './summaries.ts';
import { type ThresholdLimits, ThresholdState, type ThresholdStats } from './thresholds.ts';
import type { Witness, WitnessCheck } from './witness.ts';

/** State by host, or by whatever the caller separates events by: events of one host never help to match another's. */
export interface Memories<E> {
  of(event: E): BootMemory;
  /**
   * Records the combination of values that a rule asks for, and returns whether it is new.
   * @param timeUs the time given to the matcher
   */
  isFirst(rule: CompiledRule<E>, firstSeen: FirstSeen<E>, event: E, timeUs: number): boolean;
  /** @default an alert that is reported on a tick has no event */
  readonly witness?: Witness<E>;
}

export interface MemoryLimits {
  readonly thresholds?: ThresholdLimits;
  readonly sequences?: SequenceLimits;
  readonly summaries?: SummaryLimits;
  readonly seen?: SeenLimits;
}

export interface MemoryStats {
  readonly thresholds: ThresholdStats;
  readonly sequences: SequenceStats;
  readonly summaries: SummaryStats;
}

/** `event`: the last event of the match, or the first one of a summary's window, if it was kept. */
export type OnTold<E> = (rule: CompiledRule<E>, match: SequenceMatch | undefined, event?: E) => void;

/** Prefix of the keys of sequences; keys of thresholds start with a bracket. */
const SEQUENCES = 's';
/** Prefix of the keys of summaries. */
const SUMMARIES = 'w';
/** Prefix of the keys of `first_seen`. */
const SEEN = 'f';

/**
 * State that rules keep between events of one clock. It survives a reload of the rules, and a restart through its
 * changelog.
 */
export class BootMemory {
  readonly thresholds: ThresholdState;
  readonly sequences: SequenceState;
  readonly summaries: SummaryState;

  constructor({ thresholds, sequences, summaries, changelog = true }: MemoryLimits & Changes = {}) {
    this.thresholds = new ThresholdState({ ...thresholds, changelog });
    this.sequences = new SequenceState({ ...sequences, changelog });
    this.summaries = new SummaryState({ ...summaries, changelog });
  }

  /**
   * Expires state at `timeUs`, and reports matches that only the passing of time decides: an event did not come, or a
   * window is over. Call it on ticks.
   */
  tick<E>(rules: readonly CompiledRule<E>[], timeUs: number, report: OnTold<E>, witness?: Witness<E>): void {
    this.thresholds.expire(rules, timeUs);
    const reportUnlessHeld = (rule: CompiledRule<E>, kept: string, match: SequenceMatch | undefined): void => {
      const event = kept === '' ? undefined : witness?.read(kept);
      if (rule.limits === undefined || this.thresholds.admits(rule, rule.limits, event, timeUs))
        report(rule, match, event);
    };
    this.sequences.tick(rules, timeUs, (rule, match) => reportUnlessHeld(rule, match.witness, match));
    this.summaries.tick(rules, timeUs, (rule, first) => reportUnlessHeld(rule, first, undefined));
  }

  stats(): MemoryStats {
    return {
      thresholds: this.thresholds.stats(),
      sequences: this.sequences.stats(),
      summaries: this.summaries.stats(),
    };
  }

  /** Returns what changed since the last call, as changelog entries. */
  takeChanges(): StateChange[] {
    const sequences = this.sequences.takeChanges().map(({ key, value }) => ({ key: SEQUENCES + key, value }));
    const summaries = this.summaries.takeChanges().map(({ key, value }) => ({ key: SUMMARIES + key, value }));
    return [...this.thresholds.takeChanges(), ...sequences, ...summaries];
  }

  /** Yields everything, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    yield* this.thresholds.snapshot();
    for (const { key, value } of this.sequences.snapshot()) yield { key: SEQUENCES + key, value };
    for (const { key, value } of this.summaries.snapshot()) yield { key: SUMMARIES + key, value };
  }

  /** Restores an entry, before the first event. @throws StateError if it can't be read */
  restore(key: string, value: Uint8Array, witness?: WitnessCheck): void {
    if (key.startsWith(`${SEQUENCES}[`)) this.sequences.restore(key.slice(1), value, witness);
    else if (key.startsWith(`${SUMMARIES}[`)) this.summaries.restore(key.slice(1), value, witness);
    else if (key.startsWith('[')) this.thresholds.restore(key, value);
    else throw new StateError(key, 'no such kind of entry');
  }
}

/** State of all rules for events of a single clock, the wall clock. */
export class RuleMemory extends BootMemory implements Memories<unknown> {
  readonly seen: SeenState;

  constructor(options: MemoryLimits & Changes = {}) {
    super(options);
    this.seen = new SeenState({ ...options.seen, changelog: options.changelog ?? true });
  }

  of(): this {
    return this;
  }

  isFirst<E>(rule: CompiledRule<E>, firstSeen: FirstSeen<E>, event: E, timeUs: number): boolean {
    return this.seen.isFirst(rule, firstSeen, event, timeUs);
  }

  override tick<E>(rules: readonly CompiledRule<E>[], timeUs: number, report: OnTold<E>, witness?: Witness<E>): void {
    super.tick(rules, timeUs, report, witness);
    this.seen.tick(rules, timeUs);
  }

  override stats(): MemoryStats & { readonly seen: SeenStats } {
    return { ...super.stats(), seen: this.seen.stats() };
  }

  override takeChanges(): StateChange[] {
    const seen = this.seen.takeChanges().map(({ key, value }) => ({ key: SEEN + key, value }));
    return [...super.takeChanges(), ...seen];
  }

  override *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    yield* super.snapshot();
    for (const { key, value } of this.seen.snapshot()) yield { key: SEEN + key, value };
  }

  override restore(key: string, value: Uint8Array, witness?: WitnessCheck): void {
    if (key.startsWith(`${SEEN}[`)) this.seen.restore(key.slice(1), value);
    else super.restore(key, value, witness);
  }
}
