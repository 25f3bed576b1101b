import type { Log, Tallies } from '@ringfence/base';
import { ifReadable } from '@ringfence/host-kit';
import type { SplitLine } from './line-splitter.ts';
import { writtenAt } from './line-time.ts';
import type { LogLine, LogSource } from './log-source.ts';
import { expand } from './pattern.ts';
import { identify, openAt, openCopy, reopen, rotatedSince, whyUnreadable } from './rotated-files.ts';
import { idOf, Tail, type TailPosition } from './tail.ts';
import { TailQueue } from './tail-queue.ts';

/** Files open at once. Further matching files are counted and not read. */
const MAX_FILES = 256;
/** A writer may keep writing to a renamed file until it is notified to open the new one. */
const RETIRED_MS = 60_000;
/** Closed files whose positions are remembered, so that no file is read twice. */
const MAX_PAST = 64;
/** How much the file system's clock may lag behind ours. */
const CLOCK_SLACK_MS = 20;
const WARNINGS_MAX = 1000;

/** The state that is kept across restarts. */
export interface FilesState {
  /** patterns at that time; files of a new pattern are read from their end */
  readonly patterns: readonly string[];
  readonly files: readonly TailPosition[];
  /** closed files */
  readonly past: readonly TailPosition[];
  /** ms since the epoch */
  readonly savedAt: number;
}

export interface FileSourceOptions {
  /** paths; the last component may contain `*` */
  readonly patterns: readonly string[];
  readonly log: Log;
  /** counts `rewritten`, `vanished`, `too_many_files`, `unreadable` */
  readonly events: Tallies;
  /** ms for which a renamed file is kept open after it last grew. @default 60 s */
  readonly retiredMs?: number;
}

/** The position in a file that a path no longer leads to. */
interface LeftFile {
  readonly position: TailPosition;
  /** ms since the epoch, when the path last led to it */
  readonly since: number;
}

/** Reads the lines of log files, through all ways of rotation. */
export class FileSource implements LogSource {
  readonly name = 'files';
  readonly #options: FileSourceOptions;
  readonly #retiredMs: number;
  /** By device and inode. */
  readonly #tails = new Map<string, Tail>();
  readonly #byPath = new Map<string, Tail>();
  readonly #past: Map<string, TailPosition>;
  /** Watched paths that lead to no file now, with the file that they led to. */
  readonly #leftFiles = new Map<string, LeftFile>();
  readonly #warned = new Set<string>();
  /** Unfinished last lines of closed files. Their positions are kept until the lines are returned. */
  readonly #lastLines: { readonly line: LogLine; readonly position: TailPosition }[] = [];
  readonly #queue = new TailQueue();
  #scannedAt = Date.now();

  /** @param state null at the very first start */
  constructor(options: FileSourceOptions, state: FilesState | null) {
    this.#options = options;
    this.#retiredMs = options.retiredMs ?? RETIRED_MS;
    this.#past = new Map((state?.past ?? []).map((position) => [idOf(position), position]));
    this.#resume(state);
    const known = state?.patterns ?? [];
    for (const pattern of options.patterns)
      for (const path of expand(pattern)) this.#check(path, known.includes(pattern) ? 'start' : 'end');
  }

  get count(): number {
    return this.#tails.size;
  }

  get paths(): readonly string[] {
    return [...this.#byPath.keys()];
  }

  /** Retired files need scans, because they are closed some time after they last grew. */
  get settled(): boolean {
    return !this.#queue.tails.some((tail) => tail.retired);
  }

  get state(): FilesState {
    const files = [...this.#queue.tails, ...this.#lastLines].map(({ position }) => position);
    return { patterns: this.#options.patterns, files, past: [...this.#past.values()], savedAt: Date.now() };
  }

  next(): LogLine | null {
    const lastLine = this.#lastLines.shift();
    if (lastLine !== undefined) return lastLine.line;
    for (let found = this.#queue.next(); found !== null; found = this.#queue.next()) {
      const { tail, line } = found;
      if (line !== 'rewritten') return lineOf(tail, line);
      const unfinished = this.#onRewritten(tail);
      if (unfinished !== null) return unfinished;
    }
    return null;
  }

  scan(): void {
    const scannedAt = Date.now();
    const paths = new Set(this.#options.patterns.flatMap(expand));
    for (const path of paths) this.#check(path, 'start');
    for (const [path, tail] of this.#byPath) if (!paths.has(path)) this.#retire(path, tail);
    for (const tail of this.#queue.tails) if (this.#isFinished(tail)) this.#closeTail(tail);
    this.#scannedAt = scannedAt;
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.close();
    this.#tails.clear();
    this.#byPath.clear();
    this.#queue.clear();
  }

  /** Opens or retires files according to where a watched path leads now. */
  #check(path: string, from: 'start' | 'end'): void {
    const identity = identify(path);
    const previous = this.#byPath.get(path);
    if (identity !== null && previous !== undefined && idOf(identity) === idOf(previous)) return;
    if (previous !== undefined) this.#retire(path, previous);
    if (identity === null) {
      const reason = whyUnreadable(path);
      if (reason !== '') this.#warn('unreadable', path, `a log can't be read: ${reason}`);
      return;
    }
    const known = this.#tails.get(idOf(identity));
    if (known !== undefined) {
      known.retired = false;
      this.#byPath.set(path, known);
    } else this.#open(path, from);
    const left = this.#leftFiles.get(path);
    this.#leftFiles.delete(path);
    // Between two scans, the log may have been rotated more than once.
    if (left !== undefined) this.#openRotated(left);
  }

  #open(path: string, from: 'start' | 'end'): void {
    try {
      const tail = ifReadable(() => Tail.open(path));
      if (tail === null) this.#warn('unreadable', path, "a log can't be read");
      if (tail === null || !this.#add(tail)) return;
      if (from === 'end') tail.seekEnd();
      this.#byPath.set(path, tail);
    } catch (error) {
      this.#warn('unreadable', path, "a log can't be opened", error);
    }
  }

  #warn(event: string, path: string, message: string, err?: unknown): void {
    this.#options.events.add(event);
    const key = `${event} ${path}`;
    if (this.#warned.has(key) || this.#warned.size > WARNINGS_MAX) return;
    this.#warned.add(key);
    this.#options.log.warn({ path, err }, message);
  }

  #add(tail: Tail): boolean {
    const id = idOf(tail);
    if (this.#tails.size >= MAX_FILES || this.#tails.has(id)) {
      tail.close();
      if (!this.#tails.has(id)) this.#warn('too_many_files', tail.path, 'more logs match than can be read at once');
      return false;
    }
    this.#tails.set(id, tail);
    this.#queue.add(tail);
    return true;
  }

  /** Keeps a file open although the path no longer leads to it. */
  #retire(path: string, tail: Tail): void {
    this.#byPath.delete(path);
    this.#leftFiles.set(path, { position: tail.position, since: this.#scannedAt });
    tail.retired = ![...this.#byPath.values()].includes(tail);
    tail.grewAt = performance.now();
  }

  #isFinished(tail: Tail): boolean {
    return tail.retired && tail.drained && performance.now() - tail.grewAt >= this.#retiredMs;
  }

  #closeTail(tail: Tail): void {
    const { position } = tail;
    const rest = tail.rest();
    if (rest !== null) this.#lastLines.push({ line: lineOf(tail, rest), position });
    this.#past.set(idOf(tail), tail.position);
    if (this.#past.size > MAX_PAST) this.#past.delete(this.#past.keys().next().value as string);
    this.#tails.delete(idOf(tail));
    this.#queue.remove(tail);
    tail.close();
  }

  /** Continues where the previous agent stopped. */
  #resume(state: FilesState | null): void {
    const moved: { readonly position: TailPosition; readonly found: boolean }[] = [];
    for (const position of state?.files ?? []) {
      const tail = reopen(position);
      if (tail !== null && !this.#add(tail)) continue;
      const current = identify(position.path);
      const unmoved = tail !== null && current !== null && idOf(current) === idOf(tail);
      if (unmoved) this.#byPath.set(position.path, tail);
      else moved.push({ position, found: tail !== null });
      if (tail !== null) tail.retired = !unmoved;
    }
    const missing = moved.filter(({ found }) => !found).map(({ position }) => position);
    const continued = new Set<TailPosition>();
    for (const { position } of moved)
      this.#openRotated({ position, since: state?.savedAt ?? 0 }, (original) => continued.add(original), missing);
    for (const position of missing)
      if (!continued.has(position))
        this.#warn('vanished', position.path, 'a log that was being read is gone: its last lines may be lost');
  }

  /** The file was truncated or rewritten. Looks for a copy that has the unread lines. */
  #onRewritten(tail: Tail): LogLine | null {
    this.#options.events.add('rewritten');
    const { position } = tail;
    let copied = false;
    for (const rotated of rotatedSince(position.path, this.#scannedAt - CLOCK_SLACK_MS)) {
      if (this.#tails.has(idOf(rotated))) continue;
      const copy = openCopy(rotated.path, position);
      copied ||= copy !== null;
      this.#addRetired(copy ?? this.#openReadCopy(rotated.path, tail));
    }
    const rest = copied ? null : tail.rest();
    tail.restart();
    return rest === null ? null : lineOf(tail, rest);
  }

  /**
   * Opens the rotated files that are not open yet. Some may be copies of files that are being read, or of missing ones:
   * these continue where reading stopped.
   */
  #openRotated(
    { position, since }: LeftFile,
    onCopy: (original: TailPosition) => void = () => {},
    missing: readonly TailPosition[] = [],
  ): void {
    const { path } = position;
    for (const rotated of rotatedSince(path, since - CLOCK_SLACK_MS)) {
      if (this.#tails.has(idOf(rotated))) continue;
      const past = this.#past.get(idOf(rotated));
      const known = past === undefined ? null : openAt(rotated.path, past);
      if (known !== null) {
        this.#addRetired(known);
        continue;
      }
      const live = this.#queue.tails.filter((tail) => tail.path === path).map((tail) => tail.position);
      const original = [...missing, ...live].find(
        (candidate) => candidate.path === path && this.#addRetired(openCopy(rotated.path, candidate)),
      );
      if (original !== undefined) onCopy(original);
      else this.#addRetired(ifReadable(() => Tail.open(rotated.path, path)));
    }
  }

  /**
   * Opens, at its end, a copy that was made before the last lines were read from the original: it has no new lines.
   * Returns null if the file is not such a copy.
   */
  #openReadCopy(path: string, original: Tail): Tail | null {
    const tail = ifReadable(() => Tail.open(path, original.path));
    if (tail === null) return null;
    if (tail.isCopyOf(original)) {
      tail.seekEnd();
      return tail;
    }
    tail.close();
    return null;
  }

  /** Returns false if there is no file to add. */
  #addRetired(tail: Tail | null): boolean {
    if (tail !== null && this.#add(tail)) tail.retired = true;
    return tail !== null;
  }
}

function lineOf(tail: Tail, { bytes, length, offset }: SplitLine): LogLine {
  const { path, device, inode } = tail;
  const now = Date.now() * 1000;
  return { bytes, length, offset, path, origin: 'file', writtenAt: writtenAt(bytes, now), file: { device, inode } };
}
