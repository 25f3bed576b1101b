import type { Coordination } from '../port.ts';

/** Isolated storage for one test. */
export interface Driver {
  /** Connects like another process. A driver for a single process returns the same connection again. */
  readonly connect: () => Promise<Coordination>;
  /** Simulates a crash of the process of a connection, and returns a new connection. */
  readonly crash: (coordination: Coordination) => Promise<Coordination>;
  /** Closes all connections and removes the storage. */
  readonly dispose: () => Promise<void>;
}

export type MakeDriver = () => Promise<Driver>;
