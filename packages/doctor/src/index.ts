export { type Check, checkMachine, disk } from './checks.ts';
export { probeFull } from './full.ts';
export { type HookState, probeHooks } from './hooks.ts';
export { checkHooksNow } from './hooks-now.ts';
export { checkNeeded, checkPrivileges, mayLoad } from './privileges.ts';
export { checkOwnProbes } from './probes.ts';
