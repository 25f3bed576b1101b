import type { AuditKind } from '@ringfence/wire';
import type { ChainHead } from '../sink.ts';

/** Kind of problem of the trail. */
export type TamperKind =
  /** The content does not match its hash, or the hash of a published head */
  | 'changed'
  /** Records are missing from the middle or the beginning */
  | 'missing'
  /** The record was not written by the auditor */
  | 'added'
  /** The newest records are missing */
  | 'cut-off'
  /** The bus holds heads of another trail */
  | 'replaced'
  /** A published head is not signed by an auditor */
  | 'forged-head';

export interface Tampering {
  readonly type: TamperKind;
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  /** Sequence number in the chain, from 1 */
  readonly seq: number;
  /** Id of the record if there is one; for a head the id of its key; for a trail its name */
  readonly id: string;
  /** Number of records */
  readonly count: number;
}

export interface Verification {
  readonly records: number;
  readonly chains: readonly ChainHead[];
  /** Records that retention dropped, in order, from the beginnings of the chains */
  readonly retired: number;
  /**
   * Correctly linked records behind the heads: of a batch being written, or of an auditor that crashed; the auditor
   * finishes them at its next start
   */
  readonly unfinished: number;
  /** Number of published heads that the chains were compared with */
  readonly heads: number;
  /** The first 1,000 problems */
  readonly problems: readonly Tampering[];
  readonly problemCount: number;
}

/** A head that was published earlier and kept outside the store. */
export interface PublishedHead extends ChainHead {
  /** µs since the epoch; absent when unknown */
  readonly at?: number;
  /** Name of its trail; absent for the verified trail */
  readonly trail?: string;
}
