export type { ActionKind, ActionOutcome, ActionRequest, Plan } from './action.ts';
export { ActionRefusedError, type RefusedReason, type ResponseErrorCode } from './errors.ts';
export { type QuarantineKind, type QuarantineOptions, quarantineKind } from './files/quarantine.ts';
