// Start and end of a command's process

export { explainError } from './explain-error.ts';
export { ServiceManager } from './service-manager.ts';
export { exitAfterFlush, untilInterrupted } from './shutdown.ts';
export { Watchdog } from './watchdog.ts';
