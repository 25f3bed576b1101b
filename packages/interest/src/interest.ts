import { createHash } from 'node:crypto';
import type { Want } from '@ringfence/wire';

/**
 * What the loaded content can match; what it cannot match does not leave the kernel. Opens to write or create do in any
 * case.
 */
export interface Interest {
  readonly version: number;
  /**
   * null: every open. Otherwise an open that only reads, or a change of a file, leaves the kernel when its path begins
   * with one of these ...
   */
  readonly openPathPrefixes: readonly string[] | null;
  /** ... or its last component is one of these ... */
  readonly openNames: readonly string[];
  /** ... or the last component of the executable whose process it is. */
  readonly openExecutables: readonly string[];
  /** Of changes of files alone: also those whose path begins with one of these ... */
  readonly changePathPrefixes: readonly string[];
  /** ... or has one of these as its last component. */
  readonly changeNames: readonly string[];
  /** null: every kind. Otherwise what is of one of FILTERED_KINDS leaves the kernel when one of these asks for it. */
  readonly wants: readonly Want[] | null;
}

/** A version of a fleet's interest ends in a hash of what it asks for: so many values. */
const CONTENTS = 2 ** 20;

/**
 * `since`: s since the epoch. A later version is larger; and whoever asks for the same, another responder or the same
 * one after a restart, has the same `interestContent`.
 */
export function interestVersion(since: number, content: string): number {
  return since * CONTENTS + (createHash('sha256').update(content).digest().readUInt32BE() % CONTENTS);
}

/** s since the epoch. */
export const interestSince = (version: number): number => Math.floor(version / CONTENTS);

/** The same for versions of any time that ask for the same. */
export const interestContent = (version: number): number => version % CONTENTS;
