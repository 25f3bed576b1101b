/** A store of the audit trail for the conformance suite, with ways to tamper with it. */
import type { AuditKind } from '@ringfence/wire';
import type { AuditSink, PublishedHead, Verification } from '../../src/index.ts';

export interface TestStore extends AsyncDisposable {
  /** Opens a sink on this store's trail; a second sink behaves like a restarted process. */
  open(): AuditSink;
  verify(published?: readonly PublishedHead[]): Promise<Verification>;
  /** Number of chained records by kind */
  counts(): Promise<Partial<Record<AuditKind, number>>>;
  /** Number of searchable executions */
  executions(): Promise<number>;
  readonly tamper: TamperActions;
}

/** Tampering with the chain of alerts by an attacker with write access to the store. `seq` starts at 1. */
export interface TamperActions {
  changePayload(seq: number): Promise<void>;
  /** Changes a record together with its hash */
  rewrite(seq: number): Promise<void>;
  remove(seqs: readonly number[]): Promise<void>;
  /** Inserts a copy of record `from` under a new id at `seq`; later records move. */
  insert(from: number, seq: number): Promise<void>;
  /** Deletes all records from `seq` on, and sets the head back. */
  cutOff(seq: number): Promise<void>;
}
