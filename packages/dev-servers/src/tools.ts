/** Cache, working directories and ports, for other programs that start servers or virtual machines. */
export { cached, cacheRoot, digest } from './cache.ts';
export { TestServerError } from './errors.ts';
export { reservePorts } from './ports.ts';
export { findProgram, runTool } from './run-tool.ts';
export { children, createWorkplace, removeWorkplace } from './workplace.ts';
