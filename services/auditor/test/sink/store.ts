/** A store of the audit trail as the conformance suite sees it: what it must do whatever it is, and how it is tampered with. */
import type { AuditKind } from '@ringfence/wire';
import type { AuditSink, NotedHead, Verification } from '../../src/index.ts';

export interface TestStore extends AsyncDisposable {
  /** A sink on this store's trail; a second one is as a process started anew. */
  open(): AuditSink;
  verify(noted?: readonly NotedHead[]): Promise<Verification>;
  /** chained records by kind */
  counts(): Promise<Partial<Record<AuditKind, number>>>;
  /** executions that can be searched */
  executions(): Promise<number>;
  readonly tamper: Tamper;
}

/** Done to the chain of alerts, by someone who has the right to write the store. `seq` from 1. */
export interface Tamper {
  changePayload(seq: number): Promise<void>;
  /** with its hash made right */
  rewrite(seq: number): Promise<void>;
  remove(seqs: readonly number[]): Promise<void>;
  /** A copy of record `from` under a new id, as place `seq`; the later ones make room. */
  plant(from: number, seq: number): Promise<void>;
  /** Everything from `seq` on is taken away, and the head set back. */
  cutOff(seq: number): Promise<void>;
}
