export type { ActionKind, ActionOutcome, ActionRequest, Plan } from './action.ts';
export { ActionRefusedError, type RefusedReason, type ResponseErrorCode } from './errors.ts';
export { killKind, type ProcessDeps, type Suspended, suspendKind } from './processes/kinds.ts';
export {
  type FindProcess,
  type FoundProcess,
  type IsProtected,
  type ProtectionOptions,
  protection,
  protectionNow,
} from './processes/protected.ts';
