import type { Bus } from '../port.ts';

/** One bus of the driver under test. */
export interface Driver {
  readonly bus: Bus;
  /** Closes the bus and opens it again on the same data. Absent: the driver keeps none. */
  readonly reopen?: () => Promise<Bus>;
  /** Closes and removes everything. */
  readonly dispose: () => Promise<void>;
}

export interface DriverFactory {
  /** A new, empty bus. `maxBytes` bounds it, where `bounded`. */
  readonly make: (options: { readonly maxBytes?: number }) => Promise<Driver>;
  /** the driver has a disk bound of its own and refuses beyond it */
  readonly bounded: boolean;
  /** Makes the driver compact now; absent: it does so in its own time, and only the latest records are checked. */
  readonly compact?: (bus: Bus) => Promise<void>;
  /** A group may have several consumers, also in one process. */
  readonly shared: boolean;
  /** State changes and offsets are one transaction; a broker driver writes one after the other. */
  readonly atomic: boolean;
}

export type Make = (options?: { readonly maxBytes?: number }) => Promise<Driver>;
