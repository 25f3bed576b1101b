import type { Random } from './random.ts';

/** A reader of bytes that an attacker may choose. */
export interface FuzzTarget {
  readonly name: string;
  /** What reads the bytes, for --help. */
  readonly description: string;
  /** Inputs of the short form, in `npm test`. */
  readonly shortRuns: number;
  /** All outcomes of an input: codes of errors, and names for accepted input. Any other is a finding. */
  readonly outcomes: readonly string[];
  /** Bytes that an input may allocate besides 2,000 times its length. */
  readonly memoryMax: number;
  open(): Promise<FuzzSession> | FuzzSession;
}

export interface FuzzSession {
  /** Loads what the first input would load. */
  warmUp?(): void;
  /** Returns an input by the grammar of the target. */
  generate(random: Random): Buffer;
  /** Gives the input to the reader. Returns the outcome. A rejection or an exception is a finding. */
  run(input: Buffer): Promise<string> | string;
  /** Checks once at the end that the reader still works. */
  finish?(): Promise<void> | void;
}

/** Runs `read`. Returns `accepted`, or the code of an error of class `expected`; throws all other errors. */
export function outcomeOf(read: () => unknown, expected: abstract new (...args: never[]) => Error): string {
  try {
    read();
    return 'accepted';
  } catch (error) {
    return codeOf(error, expected);
  }
}

/** Returns the code of an error, or the name of its class if it has no code. Throws errors of other classes. */
export function codeOf(error: unknown, expected: abstract new (...args: never[]) => Error): string {
  if (!(error instanceof expected)) throw error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
