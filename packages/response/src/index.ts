export { type LockKind, type LockOptions, lockKind } from './accounts/lock.ts';
export type { ActionKind, ActionOutcome, ActionRequest, Plan } from './action.ts';
export { ActionRefusedError, type RefusedReason, type ResponseErrorCode } from './errors.ts';
export { type QuarantineKind, type QuarantineOptions, quarantineKind } from './files/quarantine.ts';
export { type RevertKind, type RevertOptions, revertKind } from './persistence/revert.ts';
