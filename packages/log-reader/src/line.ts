/** A line of a log, on its way. */
export interface LogLine {
  /** without its line break; at most MAX_LINE bytes */
  readonly bytes: Buffer;
  /** true length in bytes: more than `bytes` has when the line was cut */
  readonly length: number;
  readonly origin: 'file' | 'journald';
  /** of the file, or the unit that wrote to the journal */
  readonly path: string;
  /** of the line in its file, bytes; -1: none */
  readonly offset: number;
  /** µs since the epoch, when it was written if that is told and believable; null: not told */
  readonly writtenAt: number | null;
  /** what the file system says of the file */
  readonly file?: { readonly device: string; readonly inode: string };
  /** what journald says of the sender; the kernel told it, not the sender */
  readonly sender?: { readonly program: string; readonly pid: number };
}

/** Bytes of a line that are kept; the rest is counted and left out. */
export const MAX_LINE: number = 16 * 1024;

/** Where lines come from. `next` never waits. */
export interface LogSource {
  readonly name: string;
  /** The next whole line; null: there is none now. */
  next(): LogLine | null;
  /** Looks for new, rotated and vanished files. */
  scan(): void;
  /** files that are being read; a source that reads none wakes its reader by itself */
  readonly paths: readonly string[];
  /** Nothing goes on that only looking finds out. */
  readonly settled: boolean;
  close(): void;
}
