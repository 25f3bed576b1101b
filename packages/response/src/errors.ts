import { CodedError } from '@ringfence/base';

export type ResponseErrorCode =
  /** An action was not carried out. The message says which condition does not hold, and what to do. */
  'ERR_RESPONSE_REFUSED';

export type EvidenceErrorCode =
  /**
   * The evidence store can't be used: another process has it open, or its files are not as the agent has left them.
   * Verify it before anything else is done with it.
   */
  | 'ERR_EVIDENCE_STORE'
  /** The evidence store has no content of this SHA-256. Look it up in the manifests; `verifyStore` names lost ones. */
  | 'ERR_EVIDENCE_MISSING';

/** The closed set of reasons why an action is not carried out. */
export type RefusedReason =
  /** The parameters are not those of the action. */
  | 'unreadable'
  /** The target must never be acted on. */
  | 'protected'
  /** The target is no longer the one that the command names. */
  | 'not-the-target'
  /** Whether the target is the one that the command names cannot be read. */
  | 'not-verifiable'
  /** The kernel, the file system or a missing capability prevents the action. */
  | 'not-possible'
  /** The action is larger than its limit. */
  | 'too-large';

export class ActionRefusedError extends CodedError<ResponseErrorCode> {
  readonly reason: RefusedReason;

  constructor(reason: RefusedReason, message: string, options?: ErrorOptions) {
    super('ERR_RESPONSE_REFUSED', message, options);
    this.reason = reason;
  }
}

export class EvidenceError extends CodedError<EvidenceErrorCode> {}
