import type { Coordination } from '../port.ts';

/** A place of its own for one test. */
export interface Driver {
  /** Another process's view of the same; where the driver is for one process, the same one again. */
  readonly connect: () => Promise<Coordination>;
  /** The process that holds this one ends without a word: what it had in hand is for others. */
  readonly crash: (coordination: Coordination) => Promise<Coordination>;
  /** Closes and removes everything. */
  readonly dispose: () => Promise<void>;
}

export type Make = () => Promise<Driver>;
