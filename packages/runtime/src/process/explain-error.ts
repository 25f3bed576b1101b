import { ConfigError } from '@ringfence/config';
import { escapeText } from '@ringfence/wire';

/** Errors with a code, and what the system refused, are told in their own words; anything else is a bug and shows where. */
export function explain(error: unknown): string {
  // Names in it may be somebody else's: of rules, files, processes.
  return wordsOf(error).replace(/[^\n\t]+/g, escapeText);
}

function wordsOf(error: unknown): string {
  // What went wrong first, not what cleaning up then ran into.
  if (error instanceof SuppressedError) return wordsOf(error.suppressed);
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted';
  if (error instanceof Error && 'code' in error && ('syscall' in error || String(error.code).startsWith('ERR_')))
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
