import { documentOf, type EventDocument, eventKinds, type Field } from '@ringfence/fields';
import type { Explanation, RunExplainer } from '@ringfence/rules';
import { type EventView, KIND } from '@ringfence/wire';

/** How a rule that looks at several events saw them. */
export interface JudgedRun {
  /** events that are something to the rule, in order, at most KEPT; what it tells on a tick is about none */
  readonly steps: readonly RunStep[];
  /** what is unfinished at the end, in words */
  readonly rest: readonly string[];
}

export interface RunStep {
  readonly number: number;
  /** µs since the first event */
  readonly atUs: number;
  readonly document: EventDocument | undefined;
  readonly explanation: Explanation | undefined;
  /** what it has brought */
  readonly says: string;
}

/** More are not kept. */
const KEPT = 10_000;

/** Takes down what each event is to a rule that looks at several. */
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

  /** Before the matcher takes the event. */
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
      ? 'what must not come has not come: it is an alert'
      : this.#explainer.after(event, timestamp, matched);
    const document = isTick ? undefined : documentOf(event, this.#fields, eventKinds.names[cursor.kind] ?? '');
    this.#steps.push({ number, atUs: timestamp - (this.#firstUs ?? timestamp), document, explanation, says });
  }

  end(): JudgedRun {
    return { steps: this.#steps, rest: this.#explainer.rest(this.#lastUs) };
  }
}
