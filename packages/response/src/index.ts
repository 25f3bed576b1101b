export { type LockKind, type LockOptions, lockKind } from './accounts/lock.ts';
export type { ActionKind, ActionOutcome, ActionRequest, Plan } from './action.ts';
export type { ChainHead, Collection, Custody, EvidenceItem } from './collect/chain.ts';
export { type CollectLimits, type CollectOptions, collectKind } from './collect/collect.ts';
export { type CollectParameters, collectParameters } from './collect/parameters.ts';
export { type Access, EvidenceStore, type EvidenceStoreOptions } from './collect/store.ts';
export { type StoreProblem, type StoreReport, verifyStore } from './collect/verify-store.ts';
export {
  ActionRefusedError,
  EvidenceError,
  type EvidenceErrorCode,
  type RefusedReason,
  type ResponseErrorCode,
} from './errors.ts';
export { type QuarantineKind, type QuarantineOptions, quarantineKind } from './files/quarantine.ts';
export { type EntryState, type JournalEntry, journalEntries } from './journal.ts';
export { blockKind, isolateKind, type NetworkDeps, networkActions } from './network/kinds.ts';
export { goneKind, refusingKind } from './network/stand-ins.ts';
export { type RevertKind, type RevertOptions, revertKind } from './persistence/revert.ts';
export { killKind, type ProcessDeps, resumeKind, suspendKind } from './processes/kinds.ts';
export {
  type FindProcess,
  type FoundProcess,
  type IsProtected,
  type ProtectionOptions,
  protection,
  protectionNow,
} from './processes/protected.ts';
export { type ActionAnswer, type ActionOrder, ActionRunner, type AnyKind, type RunnerOptions } from './runner.ts';
