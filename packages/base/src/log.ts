/** The part of a pino logger that code below the entry points uses. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  /** Something is wrong, and nothing was lost. */
  warn(facts: object, message: string): void;
  /** Data was lost, or a person has to act. */
  error(facts: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
