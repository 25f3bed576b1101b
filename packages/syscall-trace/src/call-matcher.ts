import { KIND, STATE, type Text, type TraceRecord } from './record.ts';

/** A system call, from its entry to its return. */
export interface Call {
  readonly record: TraceRecord;
  readonly texts: readonly Text[];
  /** Null: it has not returned, or never will (exit). */
  readonly result: bigint | null;
  /** Nanoseconds. Null without a result, or when the entry was before the trace. */
  readonly duration: bigint | null;
}

/** A finished call, or the end of a process. */
export type TraceEvent = { readonly call: Call } | { readonly processEnd: TraceRecord };

/** Number in an exit record after sigreturn, when the kernel no longer knows the call. */
const UNKNOWN_CALL = 0xffff_ffff;

/** Matches the entry and exit records of system calls, by thread. */
export class CallMatcher {
  readonly #entries = new Map<number, TraceRecord>();

  /** Returns the events that are complete with this record, in order. */
  add(record: TraceRecord): TraceEvent[] {
    if (record.kind === KIND.exit) return this.#return(record);
    const unreturned = this.#giveUp(record.tid);
    if (record.kind === KIND.enter) {
      this.#entries.set(record.tid, record);
      return unreturned;
    }
    return record.last ? [...unreturned, { processEnd: record }] : unreturned;
  }

  /** Returns the calls that have not returned. */
  unfinished(): TraceEvent[] {
    return [...this.#entries.keys()].flatMap((tid) => this.#giveUp(tid));
  }

  /** Ends a call whose return was not seen: an exit, or its record was lost. */
  #giveUp(tid: number): TraceEvent[] {
    const record = this.#entries.get(tid);
    if (record === undefined) return [];
    this.#entries.delete(tid);
    return [{ call: { record, texts: record.texts, result: null, duration: null } }];
  }

  #return(record: TraceRecord): TraceEvent[] {
    const entry = this.#entries.get(record.tid);
    const isMatch = entry !== undefined && (entry.number === record.number || record.number === UNKNOWN_CALL);
    const unreturned = entry !== undefined && !isMatch ? this.#giveUp(record.tid) : [];
    this.#entries.delete(record.tid);
    if (!isMatch && record.number === UNKNOWN_CALL) return unreturned;
    const call: Call = {
      record: isMatch ? entry : record,
      texts: isMatch ? record.texts.map((text, index) => mergeText(entry.texts[index], text)) : record.texts,
      result: record.result,
      duration: isMatch ? record.time - entry.time : null,
    };
    return [...unreturned, { call }];
  }
}

/** The text from the return replaces the text from the entry, which may not have been readable then. */
function mergeText(atEntry: Text | undefined, atReturn: Text): Text {
  const isRead = atReturn.state === STATE.whole || atReturn.state === STATE.cut;
  return atEntry === undefined || isRead ? atReturn : atEntry;
}
