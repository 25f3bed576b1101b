import { eventKinds, type FieldValue, fieldNamed } from '@ringfence/fields';
import { type Operand, readOperand } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { type GivenEvent, readGiven } from '../events/given.ts';
import { GivenError } from '../events/given-fields.ts';
import type { Judge } from '../events/judge.ts';
import type { Entries } from './groups.ts';

/** Values of operands by their keys. */
export type Values = ReadonlyMap<string, FieldValue>;

interface Played {
  readonly values: Values;
  /** Names of the rules that matched. */
  readonly fired: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Fields that identify a process, each with the key of the test language that names the same process. */
export const IDENTITIES: Readonly<Record<string, string>> = {
  'process.entity_id': 'process.pid',
  'process.parent.entity_id': 'process.parent.pid',
  'process.target.entity_id': 'process.target.pid',
};
const PAIRS = Object.entries(IDENTITIES).map(([id, pid]) => ({ id: fieldNamed(id)!, pid: fieldNamed(pid)! }));

/** Plays written events through the pipeline, and counts how often. */
export class Player {
  readonly judge: Judge;
  /** Process ids by the identities of processes that events of this rule had. */
  readonly pids: Map<string, number> = new Map();
  /** Plays that are left. */
  left: number;

  constructor(judge: Judge, budget: number) {
    this.judge = judge;
    this.left = budget;
  }

  /** Returns the names of the rules that the events raise, from an empty memory. */
  fired(events: readonly Entries[]): ReadonlySet<string> {
    return this.#play(events, [], true)?.fired ?? NONE;
  }

  /** Returns the values of operands on the last event; undefined: the test language can't say one of the events. */
  values(events: readonly Entries[], operands: readonly Operand<EventView>[]): Values | undefined {
    return this.#play(events, operands, false)?.values;
  }

  #play(events: readonly Entries[], operands: readonly Operand<EventView>[], judged: boolean): Played | undefined {
    this.left--;
    const given = readAll(events);
    if (given === undefined) return undefined;
    let values: Values = new Map();
    const observe = (view: EventView): void => {
      values = new Map(operands.map((operand) => [operand.key, readOperand(operand, view)]));
      const kind = eventKinds.names[view.cursor.kind] ?? '';
      for (const { id, pid } of PAIRS)
        if (id.kinds === undefined || id.kinds.includes(kind)) this.#learn(id.get(view), pid.get(view));
    };
    try {
      const { alerts } = this.judge.judge(given, { keep: () => false, observe, judged });
      return { values, fired: new Set(alerts.map(({ rule }) => rule)) };
    } catch (error) {
      // A value that the codec can't carry: numbers of addresses out of range, text for a number.
      if (error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #learn(id: FieldValue, pid: FieldValue): void {
    if (typeof id === 'string' && typeof pid === 'number') this.pids.set(id, pid);
  }
}

function readAll(events: readonly Entries[]): GivenEvent[] | undefined {
  try {
    return events.map((event) => readGiven(Object.entries(event)));
  } catch (error) {
    if (error instanceof GivenError) return undefined;
    throw error;
  }
}
