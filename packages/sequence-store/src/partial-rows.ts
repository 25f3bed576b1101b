import type { EventRows } from './event-rows.ts';
import { type EventRow, NO_PARTIAL, type PartialRow } from './handles.ts';
import { RowAllocator } from './row-allocator.ts';

/** The events of a step that comes in runs. */
export interface Run {
  /** In order, the last SEQUENCE_LIMITS.listedRuns of them. */
  readonly events: readonly EventRow[];
  readonly startUs: number;
  readonly count: number;
}

/** A row starts with the time of the sequence's first event (a double). These words follow. */
const PREVIOUS = 2;
const EVENT = 3;
const REFS = 4;
const HAS_RUN = 5;
const WIDTH = 8;

export const NO_PARTIALS: readonly PartialRow[] = [];

/** A first step of one event is that event: its partial sequence shares the event's row. */
const ofEvent = (event: EventRow): PartialRow => -event as PartialRow;
const eventIn = (partial: PartialRow): EventRow => -partial as EventRow;

/** Unfinished sequences. Immutable and reference-counted: add() returns a row with one reference. */
export class PartialRows extends RowAllocator<PartialRow> {
  readonly events: EventRows;
  readonly #runs = new Map<PartialRow, Run>();

  constructor(events: EventRows) {
    super(WIDTH);
    this.events = events;
  }

  /** @param event the step's event, the last of a run @param run undefined: the step is one event */
  add(previous: PartialRow, event: EventRow, run?: Run): PartialRow {
    const { events } = this;
    if (previous === NO_PARTIAL && run === undefined) {
      events.retain(event);
      return ofEvent(event);
    }
    const partial = this.allocate();
    const { words, doubles } = this;
    words[partial + PREVIOUS] = previous;
    words[partial + EVENT] = event;
    words[partial + REFS] = 1;
    words[partial + HAS_RUN] = run === undefined ? 0 : 1;
    doubles[partial >> 1] = previous === NO_PARTIAL ? run!.startUs : this.startOf(previous);
    if (previous !== NO_PARTIAL) this.retain(previous);
    if (run === undefined) events.retain(event);
    else {
      this.#runs.set(partial, run);
      for (const member of run.events) events.retain(member);
    }
    return partial;
  }

  /** Adds the same step behind another partial sequence. */
  copy(partial: PartialRow, previous: PartialRow): PartialRow {
    return this.add(previous, this.eventOf(partial), this.#runOf(partial));
  }

  /** Undefined: the step is one event. */
  #runOf(partial: PartialRow): Run | undefined {
    return partial < 0 || this.words[partial + HAS_RUN] === 0 ? undefined : this.#runs.get(partial);
  }

  retain(partial: PartialRow): void {
    if (partial < 0) this.events.retain(eventIn(partial));
    else this.words[partial + REFS]!++;
  }

  release(partial: PartialRow): void {
    const { words } = this;
    for (let step = partial; step !== NO_PARTIAL; ) {
      if (step < 0) {
        this.events.release(eventIn(step));
        return;
      }
      if (--words[step + REFS]! > 0) return;
      const previous = words[step + PREVIOUS]! as PartialRow;
      if (words[step + HAS_RUN] === 0) this.events.release(words[step + EVENT]! as EventRow);
      else {
        for (const event of this.#runs.get(step)!.events) this.events.release(event);
        this.#runs.delete(step);
      }
      this.free(step);
      step = previous;
    }
  }

  /** Time of the sequence's first event, in µs. */
  startOf(partial: PartialRow): number {
    return partial < 0 ? this.events.timeOf(eventIn(partial)) : this.doubles[partial >> 1]!;
  }

  previousOf(partial: PartialRow): PartialRow {
    return partial < 0 ? NO_PARTIAL : (this.words[partial + PREVIOUS]! as PartialRow);
  }

  eventOf(partial: PartialRow): EventRow {
    return partial < 0 ? eventIn(partial) : (this.words[partial + EVENT]! as EventRow);
  }

  /** Returns the events of the last step, in order. */
  eventsOf(partial: PartialRow): readonly EventRow[] {
    return this.#runOf(partial)?.events ?? [this.eventOf(partial)];
  }

  /** Counts the events of the last step, including those merged into one. */
  countOf(partial: PartialRow): number {
    return this.#runOf(partial)?.count ?? this.events.detailsOf(this.eventOf(partial)).weight;
  }

  /** Returns all steps so far, first step first. */
  stepsOf(partial: PartialRow): PartialRow[] {
    const steps: PartialRow[] = [];
    for (let step = partial; step !== NO_PARTIAL; step = this.previousOf(step)) steps.push(step);
    return steps.reverse();
  }

  /** Whether any of its events is part of an alert: by now, or, with `at`, before the event `at` came. */
  isAlerted(partial: PartialRow, at?: EventRow): boolean {
    const { events } = this;
    for (let step = partial; step !== NO_PARTIAL; step = this.previousOf(step)) {
      const run = this.#runOf(step);
      const isAlerted =
        run === undefined
          ? events.isAlerted(this.eventOf(step), at)
          : run.events.some((event) => events.isAlerted(event, at));
      if (isAlerted) return true;
    }
    return false;
  }

  /** Marks all its events as part of an alert raised now. @param last the newest event by now */
  markAlerted(partial: PartialRow, last: EventRow): void {
    const position = this.events.positionOf(last);
    for (let step = partial; step !== NO_PARTIAL; step = this.previousOf(step))
      for (const event of this.eventsOf(step)) this.events.markAlerted(event, position);
  }
}
