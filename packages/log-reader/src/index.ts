export { type LogOptions, LogReader, type LogStats } from './log-reader.ts';
