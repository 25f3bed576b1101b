export interface ControlLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
