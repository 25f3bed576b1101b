import { KIND, STATE, type Text, type TraceRecord } from './record.ts';

/** A system call, from its entry to its end. */
export interface Call {
  readonly record: TraceRecord;
  readonly texts: readonly Text[];
  /** null: it has not returned, or never will (exit) */
  readonly result: bigint | null;
  /** ns; null with the result, or when the entry was before the trace */
  readonly duration: bigint | null;
}

export type Happening = { readonly call: Call } | { readonly gone: TraceRecord };

/** Puts the records of entry and end together, by thread. */
export class Pairs {
  readonly #open = new Map<number, TraceRecord>();

  /** What is complete with this record, in order. */
  add(record: TraceRecord): Happening[] {
    if (record.kind === KIND.enter) {
      const before = this.#close(record.tid);
      this.#open.set(record.tid, record);
      return before;
    }
    if (record.kind === KIND.exit) return this.#end(record);
    const before = this.#close(record.tid);
    return record.last ? [...before, { gone: record }] : before;
  }

  /** The calls that are still on their way. */
  rest(): Happening[] {
    return [...this.#open.keys()].flatMap((tid) => this.#close(tid));
  }

  /** A call whose end was not seen: exit, or its record was lost. */
  #close(tid: number): Happening[] {
    const record = this.#open.get(tid);
    if (record === undefined) return [];
    this.#open.delete(tid);
    return [{ call: { record, texts: record.texts, result: null, duration: null } }];
  }

  #end(record: TraceRecord): Happening[] {
    const entry = this.#open.get(record.tid);
    // After sigreturn the kernel doesn't know the call any more.
    const same = entry !== undefined && (entry.number === record.number || record.number === 0xffff_ffff);
    const before = entry !== undefined && !same ? this.#close(record.tid) : [];
    this.#open.delete(record.tid);
    if (!same && record.number === 0xffff_ffff) return before;
    const call: Call = {
      record: same ? entry : record,
      texts: record.texts.map((text, index) => later(entry?.texts[index], text, same)),
      result: record.result,
      duration: same ? record.time - entry.time : null,
    };
    return [...before, { call }];
  }
}

/** What could not be read at the entry was read at the end. */
function later(first: Text | undefined, second: Text, same: boolean): Text {
  if (!same || first === undefined || second.state === STATE.whole || second.state === STATE.cut) return second;
  return first;
}
