import { documentOf, type EventDocument, eventKinds } from '@ringfence/fields';
import { type CompiledRule, type Explanation, explain } from '@ringfence/rules';
import { type EventView, KIND } from '@ringfence/wire';
import type { EventJudge } from './event-judge.ts';
import type { GivenEvent } from './given.ts';
import { MissCounter, type Misses } from './misses.ts';
import type { Overlay } from './overlay.ts';
import type { JudgedRun, RunTrace } from './run-trace.ts';
import type { Role } from './stage.ts';

export interface RaisedAlert {
  readonly rule: string;
  readonly priority: string;
  readonly output: string;
  /** Number of the event with which the rule matched, from 1. */
  readonly event: number;
}

/** An event that was judged, and how one rule saw it. */
export interface JudgedEvent {
  /** Number of the written or recorded event, from 1. */
  readonly number: number;
  readonly id: string;
  readonly document: EventDocument;
  /** Fields that no call gives and that were set on the event. */
  readonly laid: readonly string[];
  /** Undefined when no rule is explained. */
  readonly explanation: Explanation | undefined;
}

export interface Judgement {
  readonly alerts: readonly RaisedAlert[];
  /** Events that the interest keeps, at most KEPT. */
  readonly events: readonly JudgedEvent[];
  /** Number of events, written or recorded. */
  readonly count: number;
  /**
   * For the explained rule: the event with which it first matched, else the one on which most of its condition holds.
   */
  readonly nearest: JudgedEvent | undefined;
  /** For an explained rule that looks at several events. */
  readonly run: JudgedRun | undefined;
  /** For an explained rule that did not match. */
  readonly misses: Misses | undefined;
  /** Fields that were set on written events because no call gives them. */
  readonly laid: readonly string[];
}

/** What to keep of a trial, beside its alerts. */
export interface Interest {
  /** Rule to explain. @default none */
  readonly about?: CompiledRule<EventView> | undefined;
  /** @default all */
  readonly keep?: (event: { readonly number: number; readonly id: string }) => boolean;
  /** Every program was running when the agent started. @default false */
  readonly foundAtStart?: boolean;
  /** Called with each written event before rules see it; then no value is set that the event does not have itself. */
  readonly observe?: (event: EventView) => void;
  /** Rules see the events. false: only `observe` does. @default true */
  readonly judged?: boolean;
}

interface TrialDeps {
  readonly overlay: Overlay;
  readonly view: EventView;
  readonly interest: Interest;
  readonly run: RunTrace | undefined;
}

/** More events are judged, but not kept. */
const KEPT = 10_000;
/** Share of a condition that matched: more than any that did not. */
const MATCHED = 2;

/** One run of events through rules. */
export class Trial {
  readonly #alerts: RaisedAlert[] = [];
  readonly #events: JudgedEvent[] = [];
  readonly #overlay: Overlay;
  readonly #view: EventView;
  readonly #interest: Interest;
  readonly #run: RunTrace | undefined;
  readonly #misses: MissCounter | undefined;
  readonly #laid = new Set<string>();
  /** Number of the last event. */
  #number = 0;
  #nearest: JudgedEvent | undefined;
  #nearestShare = -1;

  constructor({ overlay, view, interest, run }: TrialDeps) {
    this.#overlay = overlay;
    this.#view = view;
    this.#interest = interest;
    this.#run = run;
    this.#misses = interest.about && new MissCounter(interest.about.kinds);
  }

  /** Called with each match. */
  readonly onMatch = (rule: CompiledRule<EventView>, output: string): void => {
    this.#alerts.push({ rule: rule.name, priority: rule.priority, output, event: this.#number });
  };

  /**
   * Judges the batches that the written event number `number` brought. Rules see ticks in any case.
   * @param given the written event: the last event of its kind in the last batch
   */
  take(judge: EventJudge, batches: readonly Buffer[], { number, role, given }: TakenBatches): void {
    const view = this.#view;
    const last = batches.at(-1);
    const writtenAt = role === 'written' && last !== undefined && given !== undefined ? this.#lastOf(last, given) : -1;
    if (role === 'written' && writtenAt === -1)
      throw new TypeError(`event ${number} did not come through the enricher`);
    for (const batch of batches) {
      view.open(batch);
      for (let i = 0; view.next(); i++) {
        const isTick = view.cursor.kind === KIND.Tick;
        if (batch === last && i === writtenAt) this.#judge(judge, number, given);
        else if (isTick || role !== 'background') this.#judgeUnwritten(judge, number);
      }
    }
  }

  takeAll(judge: EventJudge, batch: Buffer): void {
    this.#view.open(batch);
    while (this.#view.next()) this.#judge(judge, this.#number + 1, undefined);
  }

  end(): Judgement {
    const run = this.#run?.end();
    const matched = this.#alerts.some(({ rule }) => rule === this.#interest.about?.name);
    const misses = matched ? undefined : this.#misses?.misses();
    const [alerts, events, nearest] = [this.#alerts, this.#events, this.#nearest];
    return { alerts, events, count: this.#number, nearest, run, misses, laid: [...this.#laid] };
  }

  #lastOf(batch: Buffer, { kind }: GivenEvent): number {
    const view = this.#view;
    view.open(batch);
    let found = -1;
    for (let i = 0; view.next(); i++) if (eventKinds.names[view.cursor.kind] === kind) found = i;
    return found;
  }

  /** An event that the test implies: rules see it, but it is neither shown nor counted. */
  #judgeUnwritten(judge: EventJudge, number: number): void {
    const view = this.#view;
    this.#overlay.lay(undefined, view);
    this.#number = number;
    this.#matchedBy(judge, number);
  }

  #judge(judge: EventJudge, number: number, given: GivenEvent | undefined): void {
    const view = this.#view;
    const { about, keep, foundAtStart = false, observe } = this.#interest;
    // Of a program that was running before, the agent knows less than the test gives.
    const laid = this.#overlay.lay(foundAtStart || observe !== undefined ? undefined : given, view);
    if (given !== undefined) observe?.(view);
    for (const name of laid) this.#laid.add(name);
    this.#number = number;
    const matched = this.#matchedBy(judge, number);
    if (given === undefined && view.cursor.kind === KIND.Tick) return;
    const kept = this.#events.length < KEPT && (keep?.({ number, id: view.id }) ?? true);
    const kind = eventKinds.names[view.cursor.kind] ?? '';
    // Most events of a recording are of kinds that the rule cannot match: they cannot be the nearest.
    const isExplained = about !== undefined && (kept || about.kinds.includes(kind) || this.#nearest === undefined);
    const explanation = isExplained ? explain(about, view) : undefined;
    this.#misses?.count(kind, explanation);
    const share = explanation === undefined ? -1 : matched ? MATCHED : shareOf(explanation);
    if (!kept && share <= this.#nearestShare) return;
    const document = documentOf(view, this.#overlay.catalogue.fields, kind);
    const event = { number, id: view.id, document, laid, explanation };
    if (kept) this.#events.push(event);
    if (share > this.#nearestShare) [this.#nearest, this.#nearestShare] = [event, share];
  }

  /** Returns whether the explained rule matched. */
  #matchedBy(judge: EventJudge, number: number): boolean {
    if (this.#interest.judged === false) return false;
    const before = this.#alerts.length;
    this.#run?.before(this.#view);
    judge.judge(this.#view);
    const matched = this.#alerts.slice(before).some(({ rule }) => rule === this.#interest.about?.name);
    this.#run?.after(this.#view, number, matched);
    return matched;
  }
}

export interface TakenBatches {
  readonly number: number;
  readonly role: Role;
  readonly given: GivenEvent | undefined;
}

/** Returns the share of a condition that holds: 1 is all of it. */
function shareOf({ holds, parts }: Explanation): number {
  if (holds || parts.length === 0) return holds ? 1 : 0;
  return parts.reduce((sum, part) => sum + shareOf(part), 0) / (parts.length + 1);
}
