import type { InRecord } from '@ringfence/bus';
import type { SinkStats, TrailHeads } from '../sink.ts';

/** To the thread: a batch to store; to tell heads; or `null`: close and end. */
export type Request = readonly InRecord[] | 'heads' | null;

/** To the thread: schemas that were learnt since. It gets no answer. */
export interface Learnt {
  readonly schemas: readonly string[];
}

/** From the thread: first that it is ready, then one answer a request. */
export type Answer =
  | { readonly stats: SinkStats; readonly movedAside: string | null }
  | { readonly heads: TrailHeads }
  | { readonly error: ErrorFacts };

/** What crosses a thread of an error: a structured clone would lose `code` and `fate`. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** its own properties that are plain: code, fate, path, … */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export function errorFacts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '', facts: {} };
  const facts: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') facts[key] = value;
  }
  return { name: error.name, message: error.message, stack: error.stack ?? '', facts };
}
