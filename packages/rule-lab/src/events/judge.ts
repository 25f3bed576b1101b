import type { KeyObject } from 'node:crypto';
import { eventKinds } from '@ringfence/fields';
import {
  type CompiledRule,
  compileRules,
  explainRun,
  type Memories,
  RuleMemory,
  type RuleSet,
  type RuleSource,
} from '@ringfence/rules';
import { logBatch, SyntheticHost } from '@ringfence/synthetic';
import { createSigningKey, EventView, EventWitness, routeOf, TOPIC } from '@ringfence/wire';
import { CAST, type Cast } from './cast.ts';
import { EventJudge, type KeyFor } from './event-judge.ts';
import { Facts } from './facts.ts';
import { type GivenEvent, numbered } from './given.ts';
import { Overlay } from './overlay.ts';
import { play } from './play.ts';
import { Processes } from './processes.ts';
import { RunTrace } from './run-trace.ts';
import { type Role, Stage } from './stage.ts';
import { type Interest, type Judgement, Trial } from './trial.ts';

const SECOND_US = 1_000_000;
/** Longest pause with a tick each second; a longer one has as many ticks, further apart. */
const MOST_TICKS = 100;

/** Judges written or recorded events by rules, each time from empty memory, and explains how a rule saw them. */
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

  /** Judges written events, on a host of their own. @param cast processes that the events may name */
  judge(given: readonly GivenEvent[], interest: Interest = {}, cast: Cast = CAST): Judgement {
    const trial = this.#begin(interest);
    const judge = this.#judgeWith(trial, () => this.#key.publicKey);
    const host = new SyntheticHost({ key: this.#key });
    let number = 0;
    let lines = 0;
    let written: GivenEvent | undefined;
    const take = (batch: Buffer, role: Role, topic: string): void =>
      trial.take(judge, judge.enricher.enrich(host.hostId, batch, topic), { number, role, given: written });
    const stage = new Stage(host, (batch, role) => take(batch, role, TOPIC.raw));
    const processes = new Processes({ stage, cast, foundAtStart: interest.foundAtStart ?? false });
    const happen = (event: GivenEvent): void => {
      passTime(stage, event.afterUs);
      if (event.events !== undefined) for (const inner of event.events) repeat(inner);
      if (event.kind === undefined) return;
      written = event;
      if (event.kind === 'log') {
        take(logRecord(host, new Facts(event.fields), ++lines), 'written', TOPIC.logsRaw);
      } else {
        play(event, event.kind, stage, processes);
        stage.begin('background');
      }
      written = undefined;
    };
    const repeat = (event: GivenEvent): void => {
      for (let n = 1; n <= event.repeat; n++) happen(event.repeat === 1 ? event : numbered(event, n));
    };
    for (const event of given) {
      number++;
      repeat(event);
    }
    return trial.end();
  }

  /** Judges all events of a recording. */
  async judgeRecording(
    records: AsyncIterable<Buffer>,
    enrolled: ReadonlyMap<string, KeyObject>,
    interest: Interest = {},
  ): Promise<Judgement> {
    const trial = this.#begin(interest);
    const judge = this.#judgeWith(trial, (hostId) => enrolled.get(hostId));
    for await (const record of records)
      for (const batch of judge.enricher.enrich(routeOf(record).key, record)) trial.takeAll(judge, batch);
    return trial.end();
  }

  #begin(interest: Interest): Trial {
    // No state of an earlier trial may count.
    if (interest.judged !== false) this.#memory = new RuleMemory({ changelog: false });
    const { about } = interest;
    const explainer = about === undefined ? undefined : explainRun(about, this.#memory);
    const run = explainer && new RunTrace(explainer, this.#overlay.catalogue.fields);
    return new Trial({ overlay: this.#overlay, view: this.#view, interest, run });
  }

  #judgeWith({ onMatch }: Trial, keyFor: KeyFor): EventJudge {
    return new EventJudge({ rules: this.rules, keyFor, onMatch });
  }
}

/** Lets time pass, with the collector's ticks in between. The next event comes `afterUs` after the last one. */
function passTime(stage: Stage, afterUs: number): void {
  const { host } = stage;
  const until = host.ktime - host.step + afterUs;
  const seconds = Math.floor(afterUs / SECOND_US);
  const every = Math.max(1, Math.ceil(seconds / MOST_TICKS));
  if (seconds > 0) stage.begin('background');
  for (let second = every; second <= seconds; second += every) {
    host.tick(every);
    host.ktime -= host.step;
  }
  stage.flush();
  host.ktime = Math.max(host.ktime, until);
}

/** An alert of another sensor has `log.origin: http` and its JSON as `message`. */
function logRecord(host: SyntheticHost, facts: Facts, first: number): Buffer {
  return facts.text('log.origin') === 'http'
    ? logBatch(host, [facts.text('message') ?? ''], { first, origin: 'http' })
    : logBatch(host, [lineOf(facts)], { first });
}

/** Returns a line as programs write it, unless it begins with a time of its own. */
function lineOf(facts: Facts): string {
  const message = facts.text('message') ?? '';
  if (/^(?:[A-Z][a-z]{2} [ \d]\d |\d{4}-|<\d)/.test(message)) return message;
  const program = facts.text('log.syslog.appname') ?? 'program';
  return `Jan  1 01:00:00 web-1 ${program}[${facts.text('log.syslog.procid') ?? '4242'}]: ${message}`;
}
