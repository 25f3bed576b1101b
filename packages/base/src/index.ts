export { durationText } from './duration.ts';
export { Patience } from './grace-period.ts';
export { jsonText } from './json-text.ts';
export { Seldom } from './log-throttle.ts';
export { CliError } from './operator-error.ts';
export { makeFolder, openOutput, writeOutput } from './output-file.ts';
export { type Paint, paintFor, paintPriority } from './paint.ts';
export { plain } from './plain.ts';
export { VERSION } from './version.ts';
