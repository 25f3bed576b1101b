import type { InRecord } from '@ringfence/bus';
import type { SinkStats, TrailHeads } from '../sink.ts';

/** Request to the thread: a batch to store, `heads` to get the heads, or `null` to close. */
export type WorkerRequest = readonly InRecord[] | 'heads' | null;

/** Message to the thread with newly learnt schemas; it gets no response. */
export interface SchemaUpdate {
  readonly schemas: readonly string[];
}

/** From the thread: first that it is ready, then one response per request. */
export type WorkerResponse =
  | { readonly stats: SinkStats; readonly movedAside: string | null }
  | { readonly heads: TrailHeads }
  | { readonly error: SerializedError };

/** An error in a form that crosses threads: a structured clone would lose `code` and `fate`. */
export interface SerializedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Its own primitive properties: code, fate, path and so on */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
}

export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '', properties: {} };
  const properties: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') properties[key] = value;
  }
  return { name: error.name, message: error.message, stack: error.stack ?? '', properties };
}
