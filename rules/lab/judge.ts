import type { KeyObject } from 'node:crypto';
import { createEnricherPipeline } from '@ringfence/enricher';
import { type CompiledRule, formatOutput, type OnMatch, type RuleSet } from '@ringfence/rules';
import { testRecords } from '@ringfence/testkit';
import { EventView, KIND, routeOf } from '@ringfence/wire';

type Told = (rule: CompiledRule<EventView>, output: string) => void;

/** Raw batches and lines of logs, one after the other, through the enricher to the rules. */
export class Judge {
  readonly #enricher;
  readonly #view: EventView = new EventView();
  readonly #rules: RuleSet<EventView>;
  readonly #matched: OnMatch<EventView>;
  #offset = 0;
  /** events that the rules have seen, without ticks */
  events = 0;
  #first = 0;
  #last = 0;

  constructor(rules: RuleSet<EventView>, keyFor: (hostId: string) => KeyObject | undefined, told: Told) {
    this.#rules = rules;
    this.#matched = (rule, sequence) => told(rule, formatOutput(rule, this.#view, sequence));
    this.#enricher = createEnricherPipeline({ enrolment: { keyFor } });
  }

  take(hostId: string, batch: Buffer): void {
    const { outputs } = this.#enricher.handle(testRecords(hostId, [batch], routeOf(batch).topic, this.#offset++));
    const view = this.#view;
    for (const { value } of outputs) {
      view.open(value ?? new Uint8Array());
      while (view.next()) {
        this.#count(view);
        this.#rules.matcher.match(view, this.#matched, view.timestamp);
        if (view.cursor.kind === KIND.Tick)
          this.#rules.memory.of(view).tick(this.#rules.rules, view.timestamp, this.#matched);
      }
    }
  }

  /** From the first event to the last, by their own time. */
  get minutes(): number {
    return (this.#last - this.#first) / 60e6;
  }

  #count({ cursor, timestamp }: EventView): void {
    if (cursor.kind !== KIND.Tick) this.events++;
    this.#first ||= timestamp;
    this.#last = Math.max(this.#last, timestamp);
  }
}
