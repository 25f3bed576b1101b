// Start and end of a command's process

export { explainError } from './explain-error.ts';
export { exitAfterFlush, untilInterrupted } from './shutdown.ts';
