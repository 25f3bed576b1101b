import type { LogAction } from '@ringfence/fields';

/**
 * Fields of a log line, as in ECS. Fields that the line does not contain are missing. `user` is the account of a login,
 * and the caller of sudo and su.
 */
export interface Parsed {
  readonly category?: 'authentication' | 'session' | 'process' | 'iam';
  readonly action?: LogAction;
  readonly outcome?: 'success' | 'failure';
  readonly user?: string;
  readonly targetUser?: string;
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
  readonly method?: string;
  readonly fingerprint?: string;
  readonly command?: string;
  readonly workingDirectory?: string;
  readonly tty?: string;
}

/** Parses a message of one program; null: unknown. Must not throw, and must take time in proportion to the text. */
export type Parser = (text: string) => Parsed | null;
