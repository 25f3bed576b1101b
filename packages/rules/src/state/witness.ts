/** Keeps events that an alert may be about when they are long gone: those after which something must not come. */
export interface Witness<E> {
  /** The event as text. */
  keep(event: E): string;
  /** The event again, until the next call. */
  read(kept: string): E;
}

/** Tells what `keep` made from what it can't have made. */
export interface WitnessCheck {
  isKept(kept: string): boolean;
}
