import type { LogAction } from '@ringfence/fields';

/**
 * Fields of a log line, as in ECS. Fields that the line does not contain are missing. `user` is the account of a login,
 * and the caller of sudo and su.
 */
export interface Parsed {
  readonly category?: 'authentication' | 'session' | 'process' | 'iam' | 'intrusion_detection';
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
  /** sensor that raised an alert */
  readonly provider?: 'falco' | 'tetragon';
  /** rule or policy of that sensor */
  readonly rule?: string;
  /** priority that the sensor gives it, in lower case */
  readonly level?: string;
  /** process that the alert is about; pid 0: none, startedAt in µs since the epoch */
  readonly process?: { readonly pid: number; readonly startedAt: number | null };
}

/** Parses a message of one program; null: unknown. Must not throw, and must take time in proportion to the text. */
export type Parser = (text: string) => Parsed | null;
