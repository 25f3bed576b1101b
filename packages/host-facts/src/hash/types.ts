/** What may be read, and how fast. */
export interface HashLimits {
  /** bytes: a larger executable is skipped */
  readonly maxBytes: number;
  /** bytes read in a second, on average */
  readonly bytesPerSecond: number;
  /** files that may wait; what comes then is skipped. @default 1024 */
  readonly queueMax?: number;
}

/** A file as the kernel knew it at the exec, and where it may still be found. */
export interface HashRequest {
  readonly id: number;
  /** kernel dev_t */
  readonly device: number;
  readonly inode: bigint;
  /** ns since the epoch */
  readonly ctime: bigint;
  /** of an executable */
  readonly mtime: bigint;
  readonly pid: number;
  readonly parentPid: number;
  /** nsfs inode number of its mount namespace */
  readonly mountNamespace: number;
  /** seen from the root of that namespace */
  readonly path: Uint8Array;
  /** it runs from memory, which no mount shows */
  readonly memory: boolean;
  /** it ran before the agent did: others go first */
  readonly patient: boolean;
}

/** Why there is no hash: a closed set. */
export type Skipped = 'too big' | 'changed' | 'gone' | 'remote' | 'queue full' | 'unreadable';

export interface HashAnswer {
  readonly id: number;
  /** bytes of the file; 0: it was not looked at */
  readonly size: number;
  /** null: skipped */
  readonly sha256: Uint8Array | null;
  readonly skipped: Skipped | null;
  /** it holds for the inode at this ctime, whoever executes it */
  readonly lasting: boolean;
  /** the inode's ctime is another one, though the content is that of the exec as long as the process has not executed again */
  readonly touched: boolean;
}

/** Whose exec has asked, and whether it is of its script. */
export interface Asker {
  readonly tgid: number;
  readonly start: Buffer;
  readonly execId: number;
  readonly script: boolean;
}

/** What is known of a file that was executed. */
export interface HashFact {
  /** kernel dev_t */
  readonly device: number;
  readonly inode: bigint;
  /** ns since the epoch */
  readonly ctime: bigint;
  readonly path: Buffer;
  readonly pathLength: number;
  readonly size: number;
  /** null: skipped */
  readonly sha256: Uint8Array | null;
  readonly skipped: string | null;
  readonly lasting: boolean;
  /** null: it is said of the file alone */
  readonly process: Asker | null;
}

/** What is known of files, on its way into the batch that is being filled. */
export interface HashSink {
  hash(fact: HashFact): void;
}
