/** Encodes and decodes events: an alert that is reported on a tick is about a past event, which is kept as text. */
export interface Witness<E> {
  /** Encodes an event as text. */
  keep(event: E): string;
  /** Decodes an event; the result is valid until the next call. */
  read(kept: string): E;
}

/** Checks restored text before it is decoded. */
export interface WitnessCheck {
  /** Whether `keep` can have written this text. */
  isKept(kept: string): boolean;
}
