import type { ChainedFields } from './chain.ts';
import type { IncidentDossier } from './sqlite/read/dossier.ts';
import type { ChainName } from './verify/chain-verifier.ts';

/** A stored record with its place in its chain. */
export interface ChainedRecord extends ChainedFields {
  readonly seq: number;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
}

/** Hashes of consecutive records of a chain. */
export interface ChainLinks extends ChainName {
  /** Sequence number of the first hash */
  readonly from: number;
  readonly hashes: readonly Buffer[];
  /** Sequence number of the newest record of the chain when it was read */
  readonly head: number;
}

/** An incident with its records as the chains have them. */
export interface Evidence {
  readonly dossier: IncidentDossier;
  /** Versions of the incident, alerts, commands, results, executions of its processes, actions of operators on it */
  readonly records: readonly ChainedRecord[];
  /** For each chain of these records: the hashes from the first of them on */
  readonly links: readonly ChainLinks[];
  /** Records that were left out, because there are too many or their bytes are too many */
  readonly omitted: number;
}

/** Most records of a kind; the newest actions of operators, the oldest of other kinds. */
export const MAX_RECORDS_OF_KIND = 10_000;
/** Payloads together, bytes */
export const MAX_EVIDENCE_BYTES: number = 64 * 2 ** 20;
/** Hashes of a chain: 640 kB */
export const MAX_LINKS = 20_000;

/** Returns the records whose payloads fit the limit, in order, and how many were left out. */
export function withinLimit(records: readonly ChainedRecord[]): { records: ChainedRecord[]; omitted: number } {
  let bytes = 0;
  const kept = records.filter(({ payload }) => {
    if (bytes + payload.length > MAX_EVIDENCE_BYTES) return false;
    bytes += payload.length;
    return true;
  });
  return { records: kept, omitted: records.length - kept.length };
}
