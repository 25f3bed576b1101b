import { StateError } from '../diagnostics/errors.ts';
import type { CompiledRule, FirstSeen } from '../model/rule.ts';
import type { SequenceMatch } from '../model/sequence.ts';
import type { Changes, StateChange } from './codec.ts';
import { type SeenLimits, SeenState, type SeenStats } from './seen.ts';
import { type SequenceLimits, SequenceState, type SequenceStats } from './sequences.ts';
import { type SummaryLimits, SummaryState, type SummaryStats } from './summaries.ts';
import { type ThresholdLimits, ThresholdState, type ThresholdStats } from './thresholds.ts';
import type { Witness, WitnessCheck } from './witness.ts';

/** What is remembered of an event's host, or of wherever the caller keeps events apart: events of one never help to match another's. */
export interface Memories<E> {
  of(event: E): BootMemory;
  /** Notes the combination that a rule asks for; true: it is new. @param timeUs as the matcher was given it */
  isFirst(rule: CompiledRule<E>, firstSeen: FirstSeen<E>, event: E, timeUs: number): boolean;
  /** @default an alert that is told on a tick is about no event */
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

/** `event`: the last that happened, of a summary the first, when it was kept. */
export type OnTold<E> = (rule: CompiledRule<E>, match: SequenceMatch | undefined, event?: E) => void;

/** In front of the keys of what sequences remember; those of thresholds begin with a bracket. */
const SEQUENCES = 's';
/** In front of the keys of what summaries remember. */
const SUMMARIES = 'w';
/** In front of the keys of what `first_seen` remembers. */
const SEEN = 'f';

/** What rules remember between events of one clock. It outlives a reload of the rules, and a restart through its changes. */
export class BootMemory {
  readonly thresholds: ThresholdState;
  readonly sequences: SequenceState;
  readonly summaries: SummaryState;

  constructor({ thresholds, sequences, summaries, changelog = true }: MemoryLimits & Changes = {}) {
    this.thresholds = new ThresholdState({ ...thresholds, changelog });
    this.sequences = new SequenceState({ ...sequences, changelog });
    this.summaries = new SummaryState({ ...summaries, changelog });
  }

  /** Call it on ticks: forgets what no longer matters at `timeUs`, and reports what is known now that time has passed: that something did not come, or what a window came to. */
  tick<E>(rules: readonly CompiledRule<E>[], timeUs: number, report: OnTold<E>, witness?: Witness<E>): void {
    this.thresholds.expire(rules, timeUs);
    const tell = (rule: CompiledRule<E>, kept: string, match: SequenceMatch | undefined): void => {
      const event = kept === '' ? undefined : witness?.read(kept);
      if (rule.limits === undefined || this.thresholds.admits(rule, rule.limits, event, timeUs))
        report(rule, match, event);
    };
    this.sequences.tick(rules, timeUs, (rule, match) => tell(rule, match.witness, match));
    this.summaries.tick(rules, timeUs, (rule, first) => tell(rule, first, undefined));
  }

  stats(): MemoryStats {
    return {
      thresholds: this.thresholds.stats(),
      sequences: this.sequences.stats(),
      summaries: this.summaries.stats(),
    };
  }

  /** What changed since the last call, as it is now: entries for a changelog. */
  takeChanges(): StateChange[] {
    const sequences = this.sequences.takeChanges().map(({ key, value }) => ({ key: SEQUENCES + key, value }));
    const summaries = this.summaries.takeChanges().map(({ key, value }) => ({ key: SUMMARIES + key, value }));
    return [...this.thresholds.takeChanges(), ...sequences, ...summaries];
  }

  /** Everything, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    yield* this.thresholds.snapshot();
    for (const { key, value } of this.sequences.snapshot()) yield { key: SEQUENCES + key, value };
    for (const { key, value } of this.summaries.snapshot()) yield { key: SUMMARIES + key, value };
  }

  /** Puts an entry back, before the first event. @throws StateError when it can't be read */
  restore(key: string, value: Uint8Array, witness?: WitnessCheck): void {
    if (key.startsWith(`${SEQUENCES}[`)) this.sequences.restore(key.slice(1), value, witness);
    else if (key.startsWith(`${SUMMARIES}[`)) this.summaries.restore(key.slice(1), value, witness);
    else if (key.startsWith('[')) this.thresholds.restore(key, value);
    else throw new StateError(key, 'no such kind of entry');
  }
}

/** All that rules remember, when events have one clock, the wall's. */
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
