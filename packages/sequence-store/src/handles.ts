declare const handle: unique symbol;

/** A row of EventRows: an event that fits steps of a sequence. */
export type EventRow = number & { readonly [handle]: 'event' };

/**
 * A step that has happened, and the steps before it: a row of PartialRows. A negative handle is a first step of one
 * event: it is the event's row, negated, and needs no row of its own.
 */
export type PartialRow = number & { readonly [handle]: 'partial' };

/** A row of KeyRows: everything remembered of one key of a sequence. */
export type KeyRow = number & { readonly [handle]: 'key' };

/** Rows start behind 0, so 0 stands for "none" in every word that holds a handle. */
export const NO_EVENT: EventRow = 0 as EventRow;
export const NO_PARTIAL: PartialRow = 0 as PartialRow;
export const NO_KEY: KeyRow = 0 as KeyRow;
