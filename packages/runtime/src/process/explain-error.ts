import { ConfigError } from '@ringfence/config';
import { escapeText } from '@ringfence/wire';

/**
 * Returns the text that a command prints for an error: the message of an error with a code or from a system call, and
 * the stack of any other error, which is a bug. Escapes control characters: messages contain names that an attacker
 * may have chosen, of rules, files and processes.
 */
export function explainError(error: unknown): string {
  return textOf(error).replace(/[^\n\t]+/g, escapeText);
}

function textOf(error: unknown): string {
  // The first failure, not the errors of the clean-up after it.
  if (error instanceof SuppressedError) return textOf(error.suppressed);
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted';
  if (error instanceof Error && 'code' in error && ('syscall' in error || String(error.code).startsWith('ERR_')))
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
