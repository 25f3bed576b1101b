import { createHash } from 'node:crypto';
import type { Want } from '@ringfence/wire';

/**
 * The events that the loaded content can match. Other events do not leave the kernel, except opens to write or create,
 * which always do.
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
  /** ... or the last component of the process's executable is one of these. */
  readonly openExecutables: readonly string[];
  /** Changes of files also leave the kernel when their path begins with one of these ... */
  readonly changePathPrefixes: readonly string[];
  /** ... or its last component is one of these. */
  readonly changeNames: readonly string[];
  /** Whole paths that the content names. A file at one of them is recognized by its identity, too. */
  readonly openPaths: readonly string[];
  /** Whether opens and changes of files also have their paths as the caller passed them. */
  readonly rawPaths: boolean;
  /** Names of the environment variables that execs have besides the usual ones; `*`: every variable. */
  readonly environment: readonly string[];
  /** null: every kind. Otherwise an event of one of FILTERED_KINDS leaves the kernel when one of these matches it. */
  readonly wants: readonly Want[] | null;
}

/** The interest before any content is loaded: every kind of event, and no path, name, executable or variable. */
export const INITIAL_INTEREST: Interest = {
  version: 0,
  openPathPrefixes: [],
  openNames: [],
  openExecutables: [],
  changePathPrefixes: [],
  changeNames: [],
  openPaths: [],
  rawPaths: false,
  environment: [],
  wants: null,
};

/** Stands in `environment` for every variable. */
export const EVERY_VARIABLE = '*';

/** Number of values of the content hash in a version. */
const CONTENTS = 2 ** 20;

/**
 * Returns the version of an interest. A later version is larger. The same content has the same `interestContent`, also
 * on another responder or after a restart. @param since s since the epoch
 */
export function interestVersion(since: number, content: string): number {
  return since * CONTENTS + (createHash('sha256').update(content).digest().readUInt32BE() % CONTENTS);
}

/** Returns the time of a version, s since the epoch. */
export const interestSince = (version: number): number => Math.floor(version / CONTENTS);

/** Returns the content hash of a version, which does not depend on its time. */
export const interestContent = (version: number): number => version % CONTENTS;
