// System calls of this architecture

export { numbersOf, readSystemCalls } from './system-calls.ts';

// The traced program, and the tracer in the kernel

export { TracedCommand } from './traced-command.ts';
export { Tracer, type TracerOptions } from './tracer.ts';

// Printing

export { TraceOutput } from './output.ts';
export { printTrace } from './print-trace.ts';
