import { ConfigError } from '@ringfence/config';

/** Errors with a code, and what the system refused, are told in their own words; anything else is a bug and shows where. */
export function explain(error: unknown): string {
  // What went wrong first, not what cleaning up then ran into.
  if (error instanceof SuppressedError) return explain(error.suppressed);
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted';
  if (error instanceof Error && 'code' in error && ('syscall' in error || String(error.code).startsWith('ERR_')))
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
