export { DemoError } from './errors.ts';
export { LoopbackServer } from './loopback-server.ts';
export { cgroupRoot } from './sandbox.ts';
export { type DemoOutcome, playDemo, type Step } from './scenario.ts';
