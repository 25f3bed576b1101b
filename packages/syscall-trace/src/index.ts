export { numbersOf, readCalls } from './calls.ts';
export { Command } from './command.ts';
export { TraceOutput } from './output.ts';
export { show } from './run.ts';
export { Tracer, type TracerOptions } from './tracer.ts';
