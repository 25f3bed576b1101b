export {
  type Action,
  type Claims,
  claimsOfProcess,
  type Operator,
  operatorOfProcess,
  parseClaims,
  SERVICE,
} from './action.ts';
export { type ForwarderDeps, type ForwarderStats, OperatorForwarder } from './forwarder.ts';
export { OperatorLog, type OperatorLogOptions } from './log.ts';
export { type PeerCredentials, peerOf } from './native.ts';
