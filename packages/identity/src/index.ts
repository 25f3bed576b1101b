export {
  type Authority,
  createAuthority,
  type IssuedCertificate,
  type IssueRequest,
  openAuthority,
} from './authority.ts';
export { type EnrolOptions, enrol, type RenewOptions, renew } from './enrol.ts';
export { type EnrolmentLog, Enrolments, type EnrolmentsOptions, type EnrolmentsStats } from './enrolments.ts';
export { hasRole } from './entries.ts';
export { EnrolmentRefusedError, IdentityError, type IdentityErrorCode } from './errors.ts';
export { readText, syncDirectory, writeSecret } from './files.ts';
export {
  createHandover,
  HANDOVER_MAX_AGE_MS,
  type Handover,
  type HandoverRequest,
  verifyHandover,
} from './handover.ts';
export {
  type Identity,
  type IdentityFiles,
  identityPaths,
  loadIdentity,
  type TlsMaterial,
  writeIdentity,
} from './identity.ts';
export { type KeepRenewedOptions, keepRenewed } from './keep-renewed.ts';
export { type KeepStandingOptions, keepStanding, type StandingKeeper } from './keep-standing.ts';
export { forgetSigningKey, keepSigningKey } from './kept-key.ts';
export { type Peer, peerOf } from './peer.ts';
export {
  confirmLeft,
  fetchStanding,
  LEAVE_GRACE_MS,
  type RegistrarEndpoint,
  type RegistrarResponse,
} from './registrar-client.ts';
export { createRequest, type KeyAndRequest } from './request.ts';
export { checkHosts, checkSubject, isHostId, isRole, parseRoles } from './roles.ts';
export { FleetStanding, type FleetStandingOptions, type StandingState, standingPath } from './standing.ts';
export { createToken, parseToken, type Token, tokenHash } from './token.ts';
export { TrustedKeys } from './trusted-keys.ts';
export { type CertificateWatch, type TlsSource, type WatchOptions, watchCertificates } from './watch.ts';
