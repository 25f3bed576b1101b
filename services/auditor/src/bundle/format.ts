import type { AuditKind } from '@ringfence/wire';

/** Version of the bundle's form. */
export const FORMAT = 1;
/** Precedes the manifest in what is signed: no signature of another kind of record is one of a bundle. */
export const CONTEXT = 'ringfence.bundle\n';
export const MANIFEST = 'manifest.json';
export const SIGNATURE = 'signature.json';
export const RECORDS = 'records.jsonl';
export const CHAINS = 'chains.json';

export interface Manifest {
  readonly format: number;
  readonly incident: string;
  /** ms since the epoch */
  readonly createdAt: number;
  readonly createdBy: { readonly hostname: string; readonly hostId: string; readonly version: string };
  /** Records by kind */
  readonly records: Readonly<Record<string, number>>;
  /** Records that were left out for their number or size */
  readonly omitted: number;
  /** SHA-256 of each other member, hex */
  readonly members: Readonly<Record<string, string>>;
}

/** Who signed the manifest, up to the root key. */
export interface BundleSignature {
  /** Ed25519, SPKI DER, base64 */
  readonly publicKey: string;
  /** Of the context and the manifest, hex */
  readonly signature: string;
  /** Root key of the fleet, or of the host itself in one process; SPKI DER, base64 */
  readonly root: string;
  /** Enrolment of the key, signed by the root key; base64. Null: the root key itself signed */
  readonly enrolment: string | null;
}

/** A record in `records.jsonl`. Bytes are base64, hashes hex. */
export interface BundledRecord {
  readonly kind: AuditKind;
  readonly id: string;
  readonly timestamp: number;
  readonly hostId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly payload: string;
}

/** A chain in `chains.json`. */
export interface BundledChain {
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  readonly from: number;
  readonly hashes: readonly string[];
  /** Newest record of the chain at the export */
  readonly head: number;
  /** Head that an auditor has published: an AuditHead as it was on the bus, base64. Null: none reaches the records */
  readonly published: string | null;
  /** Enrolment of the auditor that signed it; null in one process, where heads are unsigned */
  readonly enrolment: string | null;
}
