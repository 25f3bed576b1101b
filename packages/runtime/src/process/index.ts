export { exitAfterFlush } from './exit.ts';
export { explain } from './explain-error.ts';
export { untilInterrupted } from './interrupt.ts';
