// Checks of this machine

export type { Check } from './check.ts';
export { checkCustomProbes } from './custom-probes.ts';
export { checkMachine, checkStateDirectory } from './machine.ts';
export { checkPrivileges, checkUser, mayLoadSensor } from './privileges.ts';
export { checkRunningAgent } from './running-agent.ts';

// State of the sensor's hooks

export { probeFull } from './full-profile.ts';
export { type HookState, probeHooks } from './hooks.ts';
