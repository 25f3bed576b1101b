export { hostFindings } from './host.ts';
export { mountFindings } from './mounts.ts';
export { type ContainerPosture, capabilitiesUsedBy, type Posture, postureOf } from './posture.ts';
export { mountedPaths, stateOf } from './state.ts';
export type { ContainerState, Finding, Severity } from './types.ts';
