import { documentOf, type EventDocument, eventKinds, type Field } from '@ringfence/fields';
import type { Explanation, RunExplainer } from '@ringfence/rules';
import { type EventView, KIND } from '@ringfence/wire';

/** Trace of a rule that combines several events. */
export interface JudgedRun {
  /** Events that affect the rule, in order, at most KEPT. An effect of a tick has no event. */
  readonly steps: readonly RunStep[];
  /** Descriptions of unfinished matches at the end. */
  readonly rest: readonly string[];
}

export interface RunStep {
  readonly number: number;
  /** µs since the first event. */
  readonly atUs: number;
  readonly document: EventDocument | undefined;
  readonly explanation: Explanation | undefined;
  /** Effect of the event, as text. */
  readonly says: string;
}

/** Maximum number of steps that are kept. */
const KEPT = 10_000;

/** Records the effect of each event on a rule that combines several events. */
export class RunTrace {
  readonly #explainer: RunExplainer<EventView>;
  readonly #fields: readonly Field[];
  readonly #steps: RunStep[] = [];
  #explanation: Explanation | undefined;
  #firstUs: number | undefined;
  #lastUs = 0;

  constructor(explainer: RunExplainer<EventView>, fields: readonly Field[]) {
    this.#explainer = explainer;
    this.#fields = fields;
  }

  /** Must be called before the matcher processes the event. */
  before(event: EventView): void {
    this.#explanation = this.#explainer.before(event);
  }

  after(event: EventView, number: number, matched: boolean): void {
    const { timestamp, cursor } = event;
    const isTick = cursor.kind === KIND.Tick;
    this.#lastUs = timestamp;
    if (!isTick) this.#firstUs ??= timestamp;
    const explanation = this.#explanation;
    if (this.#steps.length >= KEPT || (explanation === undefined && !matched)) return;
    const says = isTick
      ? 'the event that must not follow has not come: it is an alert'
      : this.#explainer.after(event, timestamp, matched);
    const document = isTick ? undefined : documentOf(event, this.#fields, eventKinds.names[cursor.kind] ?? '');
    this.#steps.push({ number, atUs: timestamp - (this.#firstUs ?? timestamp), document, explanation, says });
  }

  end(): JudgedRun {
    return { steps: this.#steps, rest: this.#explainer.rest(this.#lastUs) };
  }
}
