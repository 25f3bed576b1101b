import type { Formulas, Operand, Sequence } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { type Constraint, demand, literals } from './constraint.ts';
import type { Entries } from './groups.ts';
import { IDENTITIES, type Player } from './player.ts';
import { present, seconds } from './repeat.ts';
import { type Found, type Missed, mandatory, Search } from './search.ts';

type Events = Sequence<EventView>;
type Step = Events['steps'][number];

/** Later than the span, for the tick that reports an absence. */
const SLACK_US = 10_000_000;
/** Times that the search begins anew with the constraints of a later step. */
const RESTARTS = 3;
/** Pids of the processes of the steps, so that later steps can name them. */
const FIRST_PID = 5001;
const FIRST_PARENT = 6001;
const ITSELF = 'process.entity_id';
const PARENT = 'process.parent.entity_id';
/** Keys of a program, and those of the parent's. */
const PARENTS: Readonly<Record<string, string>> = {
  'process.executable': 'process.parent.executable',
  'process.args': 'process.parent.command_line',
};
/** The same on all events of a host. */
const OF_HOST = 'host.id';

/** Looks for an event for each step of a sequence, joined as the sequence asks. */
export class SequenceSearch {
  readonly #sequence: Events;
  readonly #kinds: readonly string[];
  readonly #formulas: Formulas<EventView>;
  readonly #player: Player;
  /** Constraints on a step, by its index, that other steps were found to need. */
  readonly #demands = new Map<number, Constraint[]>();
  /** Entries of the processes of other steps, by the index of the step that is to have them. */
  readonly #lent = new Map<number, Entries>();

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
      const last = result.events.at(-1) ?? {};
      events = [...result.events.slice(0, -1), step.runs > 1 ? { ...last, repeat: step.runs } : last];
    }
    return { events };
  }

  /** Names the processes of an event to which other events refer. */
  #usual(step: Step): Entries {
    const { steps } = this.#sequence;
    const index = steps.indexOf(step);
    const refers = (name: string): boolean => steps.some(({ by }) => by.some(({ key }) => key === name));
    return {
      ...(refers(ITSELF) ? { 'process.pid': FIRST_PID + index } : {}),
      ...(step.by.some(({ key }) => key === PARENT) ? { 'process.parent.pid': FIRST_PARENT + index } : {}),
      ...this.#lent.get(index),
    };
  }

  #step(step: Step, joined: readonly Constraint[], before: readonly Entries[]): Found | Missed {
    const operands = this.#operands();
    const usual = this.#usual(step);
    let missed: Missed | undefined;
    let isProof = true;
    for (const kind of this.#kinds) {
      const condition = this.#formulas.on(kind, step.expression);
      if (condition.kind === 'constant' && !condition.value) continue;
      const all = [...joined, ...step.by.filter(({ key }) => key !== OF_HOST).map(present)];
      const result = new Search(this.#player, { condition, kind, joined: all, before, operands, usual }).run();
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
      return operand.key === OF_HOST || value === undefined ? [] : [demand(operand, 'equals', literals(value))];
    });
    const compared = step.compares.flatMap(({ test, earlier }) => {
      const from = kept[earlier]!;
      const value = found.get(from.step)?.values.get(from.operand.key);
      if (value === undefined) return [];
      const operator = test.operator.replace(/Field$/, '') as typeof test.operator;
      return [demand(test.operand, operator, literals(value), test.negated)];
    });
    return [...byKey, ...compared, ...this.#shared(index)];
  }

  /** Returns the constraints of other steps on the values that join them with this one. */
  #shared(index: number): Constraint[] {
    const { steps, kept } = this.#sequence;
    const own = steps[index]!;
    const demanded = (step: Step, from: Operand<EventView>, to: Operand<EventView>): Constraint[] =>
      from.key === to.key || from.type !== to.type || Object.hasOwn(IDENTITIES, from.key) || from.key === OF_HOST
        ? []
        : this.#conditions(step)
            .filter(({ test }) => test.operand.key === from.key && test.comparedWith === undefined)
            .map((one) => ({ ...one, test: { ...one.test, operand: to } }));
    const others = steps.filter((step) => step !== own && step.kind === 'event');
    const byKey = others.flatMap((step) => step.by.flatMap((from, at) => demanded(step, from, own.by[at]!)));
    const compared = others.flatMap((step) =>
      step.compares.flatMap(({ test, earlier }) => {
        const to = kept[earlier]!;
        return to.step === index && test.operator === 'equalsField' && !test.negated
          ? demanded(step, test.operand, to.operand)
          : [];
      }),
    );
    return [...byKey, ...compared];
  }

  #conditions(step: Step): Constraint[] {
    for (const kind of this.#kinds) {
      const condition = this.#formulas.on(kind, step.expression);
      if (condition.kind !== 'constant') return [...mandatory(condition)];
    }
    return [];
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
        if (other.kind === 'event') this.#demand(index, demand(other.by[position]!, 'equals', literals(value)));
    }
    for (const [position, { key }] of step.by.entries()) this.#lend(failed, position, key, alone.events.at(-1) ?? {});
    for (const { test, earlier } of step.compares) {
      const value = alone.values.get(test.operand.key);
      const from = kept[earlier]!;
      if (test.operator === 'equalsField' && !test.negated && value !== undefined)
        this.#demand(from.step, demand(from.operand, 'equals', literals(value)));
    }
    return true;
  }

  /** Other steps get the process that the failed step needs, as theirs or as its parent. */
  #lend(failed: number, position: number, key: string, event: Entries): void {
    if (!Object.hasOwn(IDENTITIES, key)) return;
    for (const [index, { kind, by }] of this.#sequence.steps.entries()) {
      const other = by[position]?.key ?? '';
      if (kind !== 'event' || index === failed || !Object.hasOwn(IDENTITIES, other)) continue;
      const lent = key === ITSELF ? programIn(event, '') : programIn(event, 'parent.');
      const as =
        other === ITSELF
          ? lent
          : Object.fromEntries(
              Object.entries(lent).map(([name, value]) => [PARENTS[name] ?? name, asParent(name, value)]),
            );
      this.#lent.set(index, { ...this.#lent.get(index), ...as });
    }
  }

  #demand(index: number, constraint: Constraint): void {
    const others = (this.#demands.get(index) ?? []).filter(
      ({ test }) => test.operand.key !== constraint.test.operand.key,
    );
    this.#demands.set(index, [...others, constraint]);
  }
}

/** Returns the program of an event's process, or of its parent, by the keys of a process. */
function programIn(event: Entries, of: '' | 'parent.'): Entries {
  const entries: Record<string, unknown> = {};
  const path = event[`process.${of}executable`];
  const line = event['process.parent.command_line'];
  const args = of === '' ? event['process.args'] : line === undefined ? undefined : String(line).split(' ');
  if (path !== undefined) entries['process.executable'] = path;
  if (args !== undefined) entries['process.args'] = args;
  for (const [name, value] of Object.entries(event)) if (LENT.test(name)) entries[name] = value;
  return entries;
}

/** Keys beside the program that two events of one process share. */
const LENT = /^user\.(?:id|name|effective\.id)$|^container\./;
const asParent = (name: string, value: unknown): unknown =>
  name === 'process.args' ? (value as readonly string[]).join(' ') : value;
