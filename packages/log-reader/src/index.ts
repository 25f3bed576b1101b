export type { AlertOptions } from './alert-source.ts';
export { type LogOptions, LogReader, type LogStats } from './log-reader.ts';
