import type { KeyObject } from 'node:crypto';
import { createEnricherPipeline } from '@ringfence/enricher';
import { type CompiledRule, formatOutput, type RuleSet, type SequenceMatch } from '@ringfence/rules';
import { consumerRecords } from '@ringfence/synthetic';
import { EventView, KIND, routeOf } from '@ringfence/wire';

/** Called with each match of a rule, and the line of its alert. */
export type OnMatch = (rule: CompiledRule<EventView>, output: string) => void;

/** Returns the key that a host signs with. */
export type KeyFor = (hostId: string) => KeyObject | undefined;

export interface EventJudgeOptions {
  readonly rules: RuleSet<EventView>;
  readonly keyFor: KeyFor;
  readonly onMatch: OnMatch;
}

/** Enriches raw records one after the other. */
export class RecordEnricher {
  readonly #pipeline;
  #offset = 0;

  constructor(keyFor: KeyFor) {
    this.#pipeline = createEnricherPipeline({ enrolment: { keyFor } });
  }

  /** Returns the batches that the enricher makes of a raw record. @default topic: that of the record */
  enrich(hostId: string, record: Buffer, topic: string = routeOf(record).topic): Buffer[] {
    const { outputs } = this.#pipeline.handle(consumerRecords(hostId, [record], topic, this.#offset++));
    return outputs.map(({ value }) => Buffer.from(value ?? new Uint8Array()));
  }
}

/** Yields the batches that the enricher makes of a recording. */
export async function* enrichedBatches(
  records: AsyncIterable<Buffer>,
  enrolled: ReadonlyMap<string, KeyObject>,
): AsyncGenerator<Buffer> {
  const enricher = new RecordEnricher((hostId) => enrolled.get(hostId));
  for await (const record of records) yield* enricher.enrich(routeOf(record).key, record);
}

/** Judges raw records as the services do: each goes through the enricher, then event by event to the rules. */
export class EventJudge {
  readonly enricher: RecordEnricher;
  readonly #rules: RuleSet<EventView>;
  readonly #onMatch: OnMatch;
  readonly #view: EventView = new EventView();
  #events = 0;
  #firstUs = 0;
  #lastUs = 0;

  constructor({ rules, keyFor, onMatch }: EventJudgeOptions) {
    this.#rules = rules;
    this.#onMatch = onMatch;
    this.enricher = new RecordEnricher(keyFor);
  }

  /** Number of events that the rules have seen, without ticks. */
  get events(): number {
    return this.#events;
  }

  /** Minutes from the first event to the last, by their own time. */
  get minutes(): number {
    return (this.#lastUs - this.#firstUs) / 60e6;
  }

  /** Judges all events of a raw record. */
  take(hostId: string, record: Buffer): void {
    for (const batch of this.enricher.enrich(hostId, record)) {
      this.#view.open(batch);
      while (this.#view.next()) this.judge(this.#view);
    }
  }

  /** Judges one enriched event. Timers of rules run on ticks. */
  judge(view: EventView): void {
    const { cursor, timestamp } = view;
    const { matcher, memory, rules } = this.#rules;
    const isTick = cursor.kind === KIND.Tick;
    if (!isTick) this.#events++;
    this.#firstUs ||= timestamp;
    this.#lastUs = Math.max(this.#lastUs, timestamp);
    const raise = (rule: CompiledRule<EventView>, sequence?: SequenceMatch, about: EventView = view): void =>
      this.#onMatch(rule, formatOutput(rule, about, sequence));
    matcher.match(view, raise, timestamp);
    if (isTick) memory.of(view).tick(rules, timestamp, raise, memory.witness);
  }
}
