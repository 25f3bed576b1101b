/** Limits on the work of hashing. */
export interface HashLimits {
  /** bytes; larger executables are skipped */
  readonly maxBytes: number;
  /** average bytes to read per second */
  readonly bytesPerSecond: number;
  /** number of files that may wait; further ones are skipped. @default 1024 */
  readonly queueMax?: number;
}

/** Limits of one hash thread. */
export interface ThreadLimits extends Pick<HashLimits, 'maxBytes' | 'bytesPerSecond'> {
  /** time that calls for files of one mount namespace may take in ten minutes, ms */
  readonly namespaceMaxMs: number;
}

/** A file as the kernel knew it at the exec, and where to find it. */
export interface HashRequest {
  readonly id: number;
  /** kernel dev_t */
  readonly device: number;
  readonly inode: bigint;
  /** ns since the epoch */
  readonly ctime: bigint;
  /** ns since the epoch, of the executable */
  readonly mtime: bigint;
  readonly pid: number;
  readonly parentPid: number;
  /** inode number in nsfs of the process's mount namespace */
  readonly mountNamespace: number;
  /** path from the root of that namespace */
  readonly path: Uint8Array;
  /** the executable is in memory (memfd), which no mount shows */
  readonly memory: boolean;
  /** the process is older than the agent */
  readonly lowPriority: boolean;
}

/** Memory of the hash thread and its owner: Int32Array. */
export const PROGRESS = {
  /** counts starts and ends of calls that may block; odd while one is under way */
  step: 0,
  /** id of the request that the call is for */
  request: 1,
  length: 2,
} as const;

/** Why a file was not hashed. */
export type SkipReason = 'too big' | 'changed' | 'gone' | 'remote' | 'queue full' | 'unreadable' | 'timed out';

export interface HashAnswer {
  readonly id: number;
  /** bytes of the file; 0 if it was not opened */
  readonly size: number;
  /** null if the file was skipped */
  readonly sha256: Uint8Array | null;
  readonly skipped: SkipReason | null;
  /** valid for every exec of this inode at this ctime */
  readonly lasting: boolean;
  /** the inode's ctime has changed, so the result is valid only if the process still runs from the file */
  readonly touched: boolean;
}

/** The exec for which a file was hashed. */
export interface Requester {
  readonly tgid: number;
  readonly start: Buffer;
  readonly execId: number;
  /** the file is the exec's script, not its executable */
  readonly script: boolean;
}

/** The result for an executed file. */
export interface HashFact {
  /** kernel dev_t */
  readonly device: number;
  readonly inode: bigint;
  /** ns since the epoch */
  readonly ctime: bigint;
  readonly path: Buffer;
  readonly pathLength: number;
  readonly size: number;
  /** null if the file was skipped */
  readonly sha256: Uint8Array | null;
  readonly skipped: string | null;
  readonly lasting: boolean;
  /** null if the fact is not about one exec */
  readonly process: Requester | null;
}

/** Adds hashes to the batch that is being filled. */
export interface HashSink {
  hash(fact: HashFact): void;
}
