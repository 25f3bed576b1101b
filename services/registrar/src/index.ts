export type { SetBrokerAccess } from './access-lists.ts';
export type { RegistrarOptions } from './config.ts';
export { REFUSALS, RegistrarError, type RegistrarErrorCode } from './errors.ts';
export { type Registrar, type RegistrarDeps, startRegistrar, type TokenRequest } from './main.ts';
export type { RegistrarStats } from './metrics.ts';
export type { Revocation, RevokeOptions } from './revocations.ts';
