import type { ChainedFields } from './chain.ts';
import type { IncidentDossier } from './sqlite/read/dossier.ts';
import type { ChainName } from './verify/chain-verifier.ts';

/** A stored record with its place in its chain. */
export interface ChainedRecord extends ChainedFields {
  readonly seq: number;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
}

/** Hashes of consecutive records of a chain: from a record of the incident to one, and on to a head. */
export interface ChainLinks extends ChainName {
  /** Sequence number of the first hash */
  readonly from: number;
  readonly hashes: readonly Buffer[];
  /** Sequence number of the newest record of the chain when it was read */
  readonly head: number;
}

export interface FileHash {
  readonly path: string;
  /** Hex */
  readonly sha256: string;
}

/** An incident with its records as the chains have them. */
export interface Evidence {
  readonly dossier: IncidentDossier;
  /** Versions of the incident, alerts, commands, results, executions of its processes, actions of operators on it */
  readonly records: readonly ChainedRecord[];
  /** Hashes of their chains; a chain has several parts where its records of the incident are far apart */
  readonly links: readonly ChainLinks[];
  /** Hashes of the executables of its processes, as far as event batches of them are stored */
  readonly hashes: readonly FileHash[];
  /** Records that were left out, because there are too many or their bytes are too many */
  readonly omitted: number;
}

/** Most records of a kind; the newest actions of operators, the oldest of other kinds. */
export const MAX_RECORDS_OF_KIND = 10_000;
/** Payloads together, bytes */
export const MAX_EVIDENCE_BYTES: number = 64 * 2 ** 20;
/**
 * Hashes between two records of the incident, beyond which the chain has another part, and behind the last record of a
 * part: a head is published within some minutes.
 */
const REACH = 5000;
/** Hashes of all parts: 6.4 MB in a bundle */
const MAX_HASHES = 100_000;

/** Sequence numbers of a part of a chain, both included. */
export interface Part {
  readonly first: number;
  readonly last: number;
}

/** Divides the records of chains into parts; once many hashes were taken, a part ends at its last record. */
export class LinkBudget {
  #left = MAX_HASHES;

  partsOf(seqs: readonly number[]): Part[] {
    const parts: { first: number; last: number }[] = [];
    for (const seq of [...seqs].sort((a, b) => a - b)) {
      const part = parts.at(-1);
      if (part !== undefined && seq - part.last <= REACH) part.last = seq;
      else parts.push({ first: seq, last: seq });
    }
    return parts.map(({ first, last }) => {
      const length = Math.min(last - first + 1 + REACH, Math.max(this.#left, last - first + 1));
      this.#left -= length;
      return { first, last: first + length - 1 };
    });
  }
}

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
