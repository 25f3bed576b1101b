import type { AuditKind } from '@ringfence/wire';
import type { ChainHead } from '../sink.ts';

/** What is wrong with the trail. */
export type TamperKind =
  /** its content is not what was hashed, or not what a head noted elsewhere says */
  | 'changed'
  /** one or more records are gone from the middle or the beginning */
  | 'missing'
  /** it was not written by the auditor */
  | 'added'
  /** the newest records are gone */
  | 'cut-off'
  /** the bus holds heads of another trail than the one that is there */
  | 'replaced'
  /** a head noted on the bus is not signed by an auditor */
  | 'forged-head';

export interface Tampering {
  readonly what: TamperKind;
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  /** place in the chain, from 1 */
  readonly seq: number;
  /** of the record, where there is one; of a head: its key's id; of a trail: its name */
  readonly id: string;
  /** records concerned */
  readonly count: number;
}

export interface Verification {
  readonly records: number;
  readonly chains: readonly ChainHead[];
  /** records that retention let go, in order, from the chains' beginnings */
  readonly retired: number;
  /** records behind the heads, linked as they should be: a batch that is being written, or whose writer died; the auditor finishes it at its next start */
  readonly unfinished: number;
  /** heads noted elsewhere that the chains were held against */
  readonly heads: number;
  /** the first 1,000 */
  readonly problems: readonly Tampering[];
  readonly problemCount: number;
}

/** A head that was noted earlier and kept elsewhere. */
export interface NotedHead extends ChainHead {
  /** µs since the epoch; absent: not known */
  readonly at?: number;
  /** name of the trail it is of; absent: this one */
  readonly trail?: string;
}
