// Errors

export { CodedError, messageOf, OperatorError } from './errors.ts';

// Log

export { type Log, LogThrottle, silentLog } from './log.ts';

// Text and JSON for people

export { durationText } from './duration.ts';
export { jsonText, jsonValue } from './json.ts';
export { type Paint, paintFor, paintPriority } from './paint.ts';

// Files that a command writes

export { makeFolder, openOutput, writeOutput } from './output-file.ts';

// Waiting, counting, version

export { GracePeriod } from './grace-period.ts';
export { Tallies } from './tallies.ts';
export { VERSION } from './version.ts';
