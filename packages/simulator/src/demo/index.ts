// The demo

export { DemoError } from './errors.ts';
export { type DemoOutcome, playDemo, type Step } from './scenario.ts';

// Parts that other sandboxes use

export { cgroupRoot, cgroupsOf, removeCgroups } from './cgroups.ts';
export { LoopbackServer } from './loopback-server.ts';
