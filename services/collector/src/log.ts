/** What the collector needs of a logger: pino's shape. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
