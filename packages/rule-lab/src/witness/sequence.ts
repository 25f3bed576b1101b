import type { Formulas, Operand, Sequence } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { Constraint } from './constraint.ts';
import type { Entries } from './groups.ts';
import { IDENTITIES, type Player } from './player.ts';
import { present, seconds } from './repeat.ts';
import { type Found, type Missed, Search } from './search.ts';

type Events = Sequence<EventView>;
type Step = Events['steps'][number];

/** Later than the span, for the tick that reports an absence. */
const SLACK_US = 10_000_000;
/** Times that the search begins anew with what a later step needs. */
const RESTARTS = 3;
/** Pids of the processes of the steps, so that later steps can name them. */
const FIRST_PID = 5001;
/** The same on all events of a host. */
const OF_HOST = 'host.id';

/** Looks for an event for each step of a sequence, joined as the sequence asks. */
export class SequenceSearch {
  readonly #sequence: Events;
  readonly #kinds: readonly string[];
  readonly #formulas: Formulas<EventView>;
  readonly #player: Player;
  /** What earlier attempts found that a step must have, by its index. */
  readonly #demands = new Map<number, Constraint[]>();

  constructor(sequence: Events, kinds: readonly string[], formulas: Formulas<EventView>, player: Player) {
    this.#sequence = sequence;
    this.#kinds = kinds;
    this.#formulas = formulas;
    this.#player = player;
  }

  run(): readonly Entries[] | Missed {
    let result = this.#attempt();
    for (let restarts = 0; 'failed' in result && restarts < RESTARTS && !result.missed.isProof; restarts++) {
      if (!this.#learn(result.failed)) break;
      result = this.#attempt();
    }
    if ('failed' in result) return { ...result.missed, why: this.#inStep(result.failed, result.missed.why) };
    const isAwaited = this.#sequence.steps.findLast(({ kind }) => kind !== 'until')?.kind === 'missing';
    return isAwaited ? [...result.events, { after: seconds(this.#sequence.maxspanUs + SLACK_US) }] : result.events;
  }

  #inStep(index: number, why: string): string {
    return this.#sequence.steps.length === 1 ? why : `step ${index + 1}: ${why}`;
  }

  #attempt(): { readonly events: readonly Entries[] } | { readonly failed: number; readonly missed: Missed } {
    const { steps } = this.#sequence;
    const found = new Map<number, Found>();
    let events: readonly Entries[] = [];
    for (const [index, step] of steps.entries()) {
      if (step.kind !== 'event') continue;
      const result = this.#step(step, [...this.#joined(index, found), ...(this.#demands.get(index) ?? [])], events);
      if (!('events' in result)) return { failed: index, missed: result };
      found.set(index, result);
      const last = this.#named(result.events.at(-1) ?? {}, index);
      events = [...result.events.slice(0, -1), step.runs > 1 ? { ...last, repeat: step.runs } : last];
    }
    return { events };
  }

  /** Names the process of an event whose process later events refer to. */
  #named(event: Entries, index: number): Entries {
    const isReferred = this.#sequence.steps.some(({ by }) => by.some(({ key }) => Object.hasOwn(IDENTITIES, key)));
    return isReferred && !('message' in event) ? { 'process.pid': FIRST_PID + index, ...event } : event;
  }

  #step(step: Step, joined: readonly Constraint[], before: readonly Entries[]): Found | Missed {
    const operands = this.#operands();
    let missed: Missed | undefined;
    let isProof = true;
    for (const kind of this.#kinds) {
      const condition = this.#formulas.on(kind, step.expression);
      if (condition.kind === 'constant' && !condition.value) continue;
      const all = [...joined, ...step.by.filter(({ key }) => key !== OF_HOST).map(present)];
      const result = new Search(this.#player, { condition, kind, joined: all, before, operands }).run();
      if ('events' in result) return result;
      missed ??= result;
      isProof &&= result.isProof;
    }
    return missed === undefined
      ? { isProof: true, why: 'no kind of event has all its fields' }
      : { why: missed.why, isProof };
  }

  #operands(): readonly Operand<EventView>[] {
    const { steps, kept } = this.#sequence;
    return [...steps.flatMap(({ by }) => by), ...kept.map(({ operand }) => operand)];
  }

  /** Returns constraints that join a step to the steps before it. */
  #joined(index: number, found: ReadonlyMap<number, Found>): Constraint[] {
    const { steps, kept } = this.#sequence;
    const step = steps[index]!;
    const [first] = found;
    const byKey = step.by.flatMap((operand, position) => {
      const value = first === undefined ? undefined : first[1].values.get(steps[first[0]]!.by[position]!.key);
      return operand.key === OF_HOST || value === undefined ? [] : [literal(operand, 'equals', value)];
    });
    const compared = step.compares.flatMap(({ test, earlier }) => {
      const from = kept[earlier]!;
      const value = found.get(from.step)?.values.get(from.operand.key);
      if (value === undefined) return [];
      const one = literal(test.operand, test.operator.replace(/Field$/, '') as typeof test.operator, value);
      return [{ ...one, test: { ...one.test, negated: test.negated } }];
    });
    return [...byKey, ...compared];
  }

  /** Solves the failed step alone, and demands its values of the other steps. */
  #learn(failed: number): boolean {
    const { steps, kept } = this.#sequence;
    const step = steps[failed]!;
    const alone = this.#step(step, this.#demands.get(failed) ?? [], []);
    if (!('events' in alone)) return false;
    for (const [position, operand] of step.by.entries()) {
      const value = alone.values.get(operand.key);
      if (Object.hasOwn(IDENTITIES, operand.key) || operand.key === OF_HOST || value === undefined) continue;
      for (const [index, other] of steps.entries())
        if (other.kind === 'event') this.#demand(index, literal(other.by[position]!, 'equals', value));
    }
    for (const { test, earlier } of step.compares) {
      const value = alone.values.get(test.operand.key);
      const from = kept[earlier]!;
      if (test.operator === 'equalsField' && !test.negated && value !== undefined)
        this.#demand(from.step, literal(from.operand, 'equals', value));
    }
    return true;
  }

  #demand(index: number, constraint: Constraint): void {
    const others = (this.#demands.get(index) ?? []).filter(({ test }) => test.operand.key !== constraint.test.operand.key);
    this.#demands.set(index, [...others, constraint]);
  }
}

function literal(operand: Operand<EventView>, operator: Constraint['test']['operator'], value: unknown): Constraint {
  const values = [value].flat() as (string | number | boolean)[];
  return { kind: 'literal', holds: true, test: { kind: 'test', operand, operator, negated: false, values } };
}
