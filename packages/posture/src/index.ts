export { hostFindings } from './host.ts';
export { type ContainerPosture, capabilitiesUsedBy, type Posture, postureOf } from './posture.ts';
export { stateOf } from './state.ts';
export type { Finding, Severity } from './types.ts';
