// The demo

export { DemoError } from './errors.ts';
export { type DemoOutcome, playDemo, type Step } from './scenario.ts';

// Parts that other sandboxes use

export { LoopbackServer } from './loopback-server.ts';
export { cgroupRoot } from './sandbox.ts';
