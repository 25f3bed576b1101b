import type { KeyObject } from 'node:crypto';
import { createEnricherPipeline } from '@ringfence/enricher';
import { documentOf, type EventDocument, eventKinds } from '@ringfence/fields';
import {
  type CompiledRule,
  compileRules,
  type Explanation,
  explain,
  explainRun,
  formatOutput,
  type Memories,
  RuleMemory,
  type RuleSet,
  type RuleSource,
  type SequenceMatch,
} from '@ringfence/rules';
import { TestHost, testLogs, testRecords } from '@ringfence/testkit';
import { createSigningKey, EventView, EventWitness, KIND, routeOf, TOPIC } from '@ringfence/wire';
import { Facts } from './facts.ts';
import { type GivenEvent, numbered } from './given.ts';
import { MissCounter, type Misses } from './misses.ts';
import { Overlay } from './overlay.ts';
import { play } from './play.ts';
import { Processes } from './processes.ts';
import { type JudgedRun, RunTrace } from './run-trace.ts';

export interface RaisedAlert {
  readonly rule: string;
  readonly priority: string;
  readonly output: string;
  /** of the event with which it matched, from 1 */
  readonly event: number;
}

/** An event that was judged, and how one rule saw it. */
export interface JudgedEvent {
  /** of the written event or the recorded one, from 1 */
  readonly number: number;
  readonly id: string;
  readonly document: EventDocument;
  /** fields that were laid over it */
  readonly laid: readonly string[];
  /** undefined: no rule was asked about */
  readonly explanation: Explanation | undefined;
}

export interface Judgement {
  readonly alerts: readonly RaisedAlert[];
  /** those that were asked for, and not more than KEPT */
  readonly events: readonly JudgedEvent[];
  /** how many there were, written or recorded */
  readonly count: number;
  /** Of the rule that was asked about: the event with which it first matched, else the one on which most of its condition holds. */
  readonly nearest: JudgedEvent | undefined;
  /** of a rule that looks at several events; undefined: it does not, or none was asked about */
  readonly run: JudgedRun | undefined;
  /** of the rule that was asked about; undefined: it matched, or none was asked about */
  readonly misses: Misses | undefined;
}

/** What to look at, beside what matches. */
export interface Interest {
  /** the rule to explain. @default none */
  readonly about?: CompiledRule<EventView> | undefined;
  /** @default all */
  readonly keep?: (event: { readonly number: number; readonly id: string }) => boolean;
}

/** More events are not kept; they are judged all the same. */
const KEPT = 10_000;
const SECOND_US = 1_000_000;
/** While a long time passes there is a tick every so often instead of each second. */
const MOST_TICKS = 600;

/** Judges events by rules as a detector would: each goes from a signed batch through the enricher to the matcher. */
export class Judge {
  readonly rules: RuleSet<EventView>;
  readonly #overlay = new Overlay();
  readonly #key = createSigningKey();
  readonly #view = new EventView();
  #memory = new RuleMemory({ changelog: false });

  constructor(sources: readonly RuleSource[]) {
    const { catalogue } = this.#overlay;
    const memory: Memories<EventView> = {
      of: () => this.#memory,
      isFirst: (...asked) => this.#memory.isFirst(...asked),
      witness: new EventWitness(),
    };
    this.rules = compileRules({ sources, catalogue, kinds: eventKinds, memory });
  }

  rule(name: string): CompiledRule<EventView> | undefined {
    return this.rules.rules.find((rule) => rule.name === name);
  }

  /** Events that were written, on a host of their own, from empty memory. */
  judge(given: readonly GivenEvent[], interest: Interest = {}): Judgement {
    const trial = this.#begin(interest);
    const host = new TestHost({ key: this.#key });
    const stage = { host, processes: new Processes(host) };
    let offset = 0;
    let lines = 0;
    const pipeline = createEnricherPipeline({ enrolment: { keyFor: () => this.#key.publicKey } });
    const send = (value: Buffer, topic: string = TOPIC.raw): Buffer[] =>
      batchesOf(pipeline.handle(testRecords(host.hostId, [value], topic, offset++)));
    for (const [index, written] of given.entries())
      for (let n = 1; n <= written.repeat; n++) {
        const one = numbered(written, n);
        for (const tick of passTime(host, one.afterUs)) trial.take(send(tick), index + 1, undefined);
        if (one.kind === undefined) continue;
        const facts = new Facts(one);
        if (one.kind === 'log') {
          if (host.count > 0) send(host.batch());
          trial.take(send(testLogs(host, [lineOf(facts)], { first: ++lines }), TOPIC.logsRaw), index + 1, one);
        } else {
          play(one.kind, stage, facts);
          trial.take(send(host.batch()), index + 1, one);
        }
      }
    return trial.end();
  }

  /** Events that were recorded, all of them. */
  async judgeRecording(
    records: AsyncIterable<Buffer>,
    enrolled: ReadonlyMap<string, KeyObject>,
    interest: Interest = {},
  ): Promise<Judgement> {
    const trial = this.#begin(interest);
    for await (const batch of enrichedBatches(records, enrolled)) trial.takeAll(batch);
    return trial.end();
  }

  #begin(interest: Interest): Trial {
    // Nothing of an earlier trial may count.
    this.#memory = new RuleMemory({ changelog: false });
    const { about } = interest;
    const explainer = about === undefined ? undefined : explainRun(about, this.#memory);
    const run = explainer && new RunTrace(explainer, this.#overlay.catalogue.fields);
    return new Trial(this.rules, this.#overlay, this.#view, interest, run);
  }
}

/** One run of events. */
class Trial {
  readonly #alerts: RaisedAlert[] = [];
  readonly #events: JudgedEvent[] = [];
  readonly #rules: RuleSet<EventView>;
  readonly #overlay: Overlay;
  readonly #view: EventView;
  readonly #interest: Interest;
  readonly #run: RunTrace | undefined;
  readonly #misses: MissCounter | undefined;
  /** of the last event */
  #number = 0;
  #nearest: JudgedEvent | undefined;
  #most = -1;

  constructor(
    rules: RuleSet<EventView>,
    overlay: Overlay,
    view: EventView,
    interest: Interest,
    run: RunTrace | undefined,
  ) {
    this.#run = run;
    this.#rules = rules;
    this.#overlay = overlay;
    this.#view = view;
    this.#interest = interest;
    this.#misses = interest.about && new MissCounter(interest.about.kinds);
  }

  /** Of the batches only the last event is what was written: those before it are what it takes for granted. Without `given` they are ticks. */
  take(batches: readonly Buffer[], number: number, given: GivenEvent | undefined): void {
    const view = this.#view;
    const last = batches.at(-1);
    const count = last === undefined ? 0 : countOf(last);
    if (last === undefined || count === 0) throw new TypeError(`event ${number} did not come through the enricher`);
    view.open(last);
    for (let i = 0; view.next(); i++) {
      const tick = view.cursor.kind === KIND.Tick;
      if (i === count - 1 && given !== undefined) this.#judge(number, given);
      else if (tick) this.#judge(number, undefined);
    }
  }

  takeAll(batch: Buffer): void {
    this.#view.open(batch);
    while (this.#view.next()) this.#judge(this.#number + 1, undefined);
  }

  end(): Judgement {
    const run = this.#run?.end();
    const matched = this.#alerts.some(({ rule }) => rule === this.#interest.about?.name);
    const misses = matched ? undefined : this.#misses?.misses();
    return { alerts: this.#alerts, events: this.#events, count: this.#number, nearest: this.#nearest, run, misses };
  }

  #judge(number: number, given: GivenEvent | undefined): void {
    const view = this.#view;
    const laid = this.#overlay.lay(given, view);
    this.#number = number;
    const before = this.#alerts.length;
    const raise = (rule: CompiledRule<EventView>, sequence?: SequenceMatch, about: EventView = view): void =>
      this.#raise(formatOutput(rule, about, sequence), rule, number);
    const rules = this.#rules;
    this.#run?.before(view);
    rules.matcher.match(view, raise, view.timestamp);
    const isTick = view.cursor.kind === KIND.Tick;
    if (isTick) rules.memory.of(view).tick(rules.rules, view.timestamp, raise, rules.memory.witness);
    const { about, keep } = this.#interest;
    const matched = this.#alerts.slice(before).some(({ rule }) => rule === about?.name);
    this.#run?.after(view, number, matched);
    if (given === undefined && isTick) return;
    const kept = this.#events.length < KEPT && (keep?.({ number, id: view.id }) ?? true);
    const kind = eventKinds.names[view.cursor.kind] ?? '';
    // Most events of a recording are of kinds that the rule can't match: none of them is the nearest.
    const seen = about !== undefined && (kept || about.kinds.includes(kind) || this.#nearest === undefined);
    const explanation = seen ? explain(about, view) : undefined;
    this.#misses?.count(kind, explanation);
    const share = explanation === undefined ? -1 : matched ? MATCHED : shareOf(explanation);
    if (!kept && share <= this.#most) return;
    const document = documentOf(view, this.#overlay.catalogue.fields, kind);
    const event = { number, id: view.id, document, laid, explanation };
    if (kept) this.#events.push(event);
    if (share > this.#most) [this.#nearest, this.#most] = [event, share];
  }

  #raise(output: string, rule: CompiledRule<EventView>, number: number): void {
    this.#alerts.push({ rule: rule.name, priority: rule.priority, output, event: number });
  }
}

/** More than any condition. */
const MATCHED = 2;

/** How much of a condition holds: 1 all of it. */
function shareOf({ holds, parts }: Explanation): number {
  if (holds || parts.length === 0) return holds ? 1 : 0;
  return parts.reduce((sum, part) => sum + shareOf(part), 0) / (parts.length + 1);
}

function countOf(batch: Buffer): number {
  const view = new EventView();
  view.open(batch);
  let count = 0;
  while (view.next()) count++;
  return count;
}

/** Lets time pass, with the collector's ticks in between: one batch each. The next event is `afterUs` after the last. */
function* passTime(host: TestHost, afterUs: number): Generator<Buffer> {
  const until = host.ktime - host.step + afterUs;
  const seconds = Math.floor(afterUs / SECOND_US);
  const every = Math.max(1, Math.ceil(seconds / MOST_TICKS));
  for (let second = every; second <= seconds; second += every) {
    host.tick(every);
    host.ktime -= host.step;
    yield host.batch();
  }
  host.ktime = Math.max(host.ktime, until);
}

/** A line as programs write them, unless it has a time of its own. */
function lineOf(facts: Facts): string {
  const message = facts.text('message') ?? '';
  if (/^(?:[A-Z][a-z]{2} [ \d]\d |\d{4}-|<\d)/.test(message)) return message;
  const program = facts.text('log.syslog.appname') ?? 'program';
  return `Jan  1 01:00:00 web-1 ${program}[${facts.text('log.syslog.procid') ?? '4242'}]: ${message}`;
}

function batchesOf({ outputs }: { readonly outputs: readonly { readonly value: Uint8Array | null }[] }): Buffer[] {
  return outputs.map(({ value }) => Buffer.from(value ?? new Uint8Array()));
}

/** What the enricher makes of recorded batches, from empty memory. */
export async function* enrichedBatches(
  records: AsyncIterable<Buffer>,
  enrolled: ReadonlyMap<string, KeyObject>,
): AsyncGenerator<Buffer> {
  const pipeline = createEnricherPipeline({ enrolment: { keyFor: (host) => enrolled.get(host) } });
  let offset = 0;
  for await (const record of records) {
    const { key, topic } = routeOf(record);
    yield* batchesOf(pipeline.handle(testRecords(key, [record], topic, offset++)));
  }
}
