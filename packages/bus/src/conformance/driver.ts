import type { Bus } from '../port.ts';

/** A bus of the driver under test. */
export interface Driver {
  readonly bus: Bus;
  /** Closes the bus and opens it again with the same data. Absent when the driver stores none. */
  readonly reopen?: () => Promise<Bus>;
  /** Closes the bus and deletes its data. */
  readonly dispose: () => Promise<void>;
}

export interface DriverFactory {
  /** Opens a new, empty bus. A `bounded` driver limits it to `maxBytes`. */
  readonly make: (options: { readonly maxBytes?: number }) => Promise<Driver>;
  /** Whether the driver has its own disk bound, and refuses records beyond it. */
  readonly bounded: boolean;
  /** Compacts now. Absent when the driver cannot; then only the latest records are checked. */
  readonly compact?: (bus: Bus) => Promise<void>;
  /** Whether a group may have several consumers, also in one process. */
  readonly shared: boolean;
  /** Whether outputs, state changes and offsets are one transaction. */
  readonly atomic: boolean;
}

export type Make = (options?: { readonly maxBytes?: number }) => Promise<Driver>;
