export { ControlLostError, ControlStreamError, NotAttachedError } from './errors.ts';
export { localControlPlane } from './local.ts';
export type { ControlPlane } from './port.ts';
