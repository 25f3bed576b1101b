// Errors

// Waiting
export { type Backoff, backoffMs } from './backoff.ts';
// Memory, counts, version
export { ByAge } from './by-age.ts';
export { withDeadline } from './deadline.ts';
// Text and JSON for people
export { durationText } from './duration.ts';
export { CodedError, messageOf, OperatorError } from './errors.ts';
export { type Fate, fateOf } from './fate.ts';
export { GracePeriod } from './grace-period.ts';
export { jsonText, jsonValue } from './json.ts';
// Log and traces
export { type Log, LogThrottle, silentLog } from './log.ts';
// Files that a command writes
export { makeFolder, openOutput, writeOutput } from './output-file.ts';
export { type Paint, paintFor, paintPriority } from './paint.ts';
export { pause } from './pause.ts';
export { Tallies } from './tallies.ts';
export type { Step, Trace } from './trace.ts';
export { VERSION } from './version.ts';
export { Waiter } from './waiter.ts';
