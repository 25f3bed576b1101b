export { type LogOptions, LogReader, type LogStats } from './reader.ts';
