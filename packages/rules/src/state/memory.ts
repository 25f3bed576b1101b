import { StateError } from '../errors.ts';
import type { CompiledRule } from '../rule.ts';
import type { SequenceMatch } from '../sequence.ts';
import type { StateChange } from './codec.ts';
import { type SequenceLimits, SequenceState, type SequenceStats } from './sequences.ts';
import { type ThresholdLimits, ThresholdState, type ThresholdStats } from './thresholds.ts';

/** What is remembered of an event's host, or of wherever the caller keeps events apart: events of one never help to match another's. */
export interface Memories<E> {
  of(event: E): RuleMemory;
}

export interface MemoryLimits {
  readonly thresholds?: ThresholdLimits;
  readonly sequences?: SequenceLimits;
}

export interface MemoryStats {
  readonly thresholds: ThresholdStats;
  readonly sequences: SequenceStats;
}

/** In front of the keys of what sequences remember; those of thresholds begin with a bracket. */
const SEQUENCES = 's';

/** All that rules remember between events. It outlives a reload of the rules, and a restart through its changes. */
export class RuleMemory implements Memories<unknown> {
  readonly thresholds: ThresholdState;
  readonly sequences: SequenceState;

  constructor(limits: MemoryLimits = {}) {
    this.thresholds = new ThresholdState(limits.thresholds);
    this.sequences = new SequenceState(limits.sequences);
  }

  of(): this {
    return this;
  }

  /** Call it on ticks: forgets what no longer matters at `timeUs`, and reports sequences that are finished because something did not come. */
  tick<E>(
    rules: readonly CompiledRule<E>[],
    timeUs: number,
    report: (rule: CompiledRule<E>, match: SequenceMatch) => void,
  ): void {
    this.thresholds.expire(rules, timeUs);
    this.sequences.tick(rules, timeUs, report);
  }

  stats(): MemoryStats {
    return { thresholds: this.thresholds.stats(), sequences: this.sequences.stats() };
  }

  /** What changed since the last call, as it is now: entries for a changelog. */
  takeChanges(): StateChange[] {
    const sequences = this.sequences.takeChanges().map(({ key, value }) => ({ key: SEQUENCES + key, value }));
    return [...this.thresholds.takeChanges(), ...sequences];
  }

  /** Everything, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    yield* this.thresholds.snapshot();
    for (const { key, value } of this.sequences.snapshot()) yield { key: SEQUENCES + key, value };
  }

  /** Puts an entry back, before the first event. @throws StateError when it can't be read */
  restore(key: string, value: Uint8Array): void {
    if (key.startsWith(`${SEQUENCES}[`)) this.sequences.restore(key.slice(1), value);
    else if (key.startsWith('[')) this.thresholds.restore(key, value);
    else throw new StateError(key, 'no such kind of entry');
  }
}
