export { type EventDetails, EventRows, NO_DETAILS } from './event-rows.ts';
export type { EventRow } from './handles.ts';
export { decodeKey, isListOf, isNumber, isText, KEY_VERSION, latestOf, witnessesOf } from './key-codec.ts';
export { SEQUENCE_LIMITS } from './limits.ts';
export { PartialRows } from './partial-rows.ts';
export type { Progress } from './progress.ts';
export { SequenceKeys, type Totals } from './sequence-keys.ts';
export { NO_MATCHES } from './sequence-match.ts';
export type { Compare, Comparison, SequenceMatch, SequenceShape, StepMatch, StepShape } from './shape.ts';
