import type { LogAction } from '@ringfence/fields';

/** What a line says, as ECS has it; a field that is left out is not said. The user of a login is the account; of sudo and su, who asked. */
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

/** The text of one program's message → what it says; null: nothing that is known. Must not throw, and take time in proportion to the text. */
export type Parser = (text: string) => Parsed | null;
