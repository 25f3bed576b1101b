/** Bytes of a line that are kept. Longer lines are cut. */
export const MAX_LINE: number = 16 * 1024;

/** A line of a log. */
export interface LogLine {
  /** without the line break; at most MAX_LINE bytes */
  readonly bytes: Buffer;
  /** true length in bytes; larger than the length of `bytes` if the line was cut */
  readonly length: number;
  readonly origin: 'file' | 'journald' | 'http';
  /** path of the file, or name of the unit that wrote to the journal; its rate is limited */
  readonly path: string;
  /** position of the line in its file in bytes; -1 if it has none */
  readonly offset: number;
  /** µs since the epoch; null if the line has no time, or one that is not plausible */
  readonly writtenAt: number | null;
  /** identity of the file */
  readonly file?: { readonly device: string; readonly inode: string };
  /** the sender, which journald knows from the kernel, not from the sender */
  readonly sender?: { readonly program: string; readonly pid: number };
}

/** A source of lines. */
export interface LogSource {
  readonly name: string;
  /** Returns the next complete line, or null if there is none now. Never waits. */
  next(): LogLine | null;
  /** Called when all lines that were taken are on disk. */
  saved?(): void;
  /** Looks for new, rotated and removed files. */
  scan(): void;
  /** files that are being read; empty for a source that wakes its reader itself */
  readonly paths: readonly string[];
  /** false while the source needs regular scans */
  readonly settled: boolean;
  close(): void;
}
