// Containers

export { containerStateOf, mountedPaths } from './container-state.ts';
export { mountFindings } from './mount-findings.ts';
export { type ContainerPosture, capabilitiesUsedBy, type Posture, postureOf } from './posture.ts';

// The host

export { hostFindings } from './host-findings.ts';

export type { ContainerState, Finding, Severity } from './types.ts';
