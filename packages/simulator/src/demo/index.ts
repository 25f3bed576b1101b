export { cgroupRoot, cgroupsOf, removeCgroups } from './cgroups.ts';
export { DemoError } from './errors.ts';
export { LoopbackServer } from './loopback-server.ts';
export { type DemoOutcome, playDemo, type Step } from './scenario.ts';
