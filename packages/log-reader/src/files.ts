import type { Log, Tallies } from '@ringfence/base';
import { ifReadable } from '@ringfence/host-kit';
import type { LogLine, LogSource } from './line.ts';
import { expand } from './pattern.ts';
import { findAgain, identify, openAt, openCopy, whyUnfit, writtenSince } from './siblings.ts';
import type { SplitLine } from './splitter.ts';
import { idOf, Tail, type TailPosition } from './tail.ts';
import { writtenAt } from './time.ts';

/** Files open at once; more that match are counted and left out. */
const MAX_FILES = 256;
/** A writer may go on writing to a file that was moved away, until it is told to open the new one. ms */
const RETIRED_MS = 60_000;
/** Files that were given up and are remembered, so that none is read twice. */
const MAX_PAST = 64;
/** Lines of one file before the next file has its turn. */
const TURN = 64;
/** How far the file system's clock may be behind ours, ms. */
const CLOCK_SLACK_MS = 20;

export interface FilesState {
  /** which were in force: what a new one matches is read from its end */
  readonly patterns: readonly string[];
  readonly files: readonly TailPosition[];
  /** given up */
  readonly past: readonly TailPosition[];
  /** ms since the epoch */
  readonly savedAt: number;
}

export interface FileSourceOptions {
  /** paths; `*` may stand in their last part */
  readonly patterns: readonly string[];
  readonly log: Log;
  /** counted: `rewritten`, `vanished`, `too_many_files`, `unreadable` */
  readonly events: Tallies;
  /** ms a file that was moved away is kept. @default 60 s */
  readonly retiredMs?: number;
}

interface Left {
  readonly position: TailPosition;
  /** ms since the epoch, when it was known to be there */
  readonly since: number;
}

/** Lines of log files, through every way in which they are rotated. */
export class FileSource implements LogSource {
  readonly name = 'files';
  readonly #options: FileSourceOptions;
  readonly #retiredMs: number;
  /** by device and inode */
  readonly #tails = new Map<string, Tail>();
  readonly #byPath = new Map<string, Tail>();
  readonly #past: Map<string, TailPosition>;
  /** paths that lead nowhere now, and what they led to */
  readonly #left = new Map<string, Left>();
  readonly #warned = new Set<string>();
  /** what files that are closed still had; their positions stay until it was handed out */
  readonly #rests: { readonly line: LogLine; readonly position: TailPosition }[] = [];
  #order: Tail[] = [];
  #turn = 0;
  #turnLeft = TURN;
  #scannedAt = Date.now();

  /** `state`: null at the very first start */
  constructor(options: FileSourceOptions, state: FilesState | null) {
    this.#options = options;
    this.#retiredMs = options.retiredMs ?? RETIRED_MS;
    this.#past = new Map((state?.past ?? []).map((position) => [idOf(position), position]));
    this.#resume(state);
    const known = state?.patterns ?? [];
    for (const pattern of options.patterns)
      for (const path of expand(pattern)) this.#look(path, known.includes(pattern) ? 'start' : 'end');
  }

  get count(): number {
    return this.#tails.size;
  }

  get paths(): readonly string[] {
    return [...this.#byPath.keys()];
  }

  get settled(): boolean {
    return !this.#order.some((tail) => tail.retired);
  }

  get state(): FilesState {
    const files = [...this.#order, ...this.#rests].map(({ position }) => position);
    return { patterns: this.#options.patterns, files, past: [...this.#past.values()], savedAt: Date.now() };
  }

  next(): LogLine | null {
    const rest = this.#rests.shift();
    if (rest !== undefined) return rest.line;
    for (let tried = 0; tried < this.#order.length; ) {
      const tail = this.#order[this.#turn % this.#order.length] as Tail;
      const line = tail.next();
      if (line === 'rewritten') {
        const unfinished = this.#rewritten(tail);
        if (unfinished !== null) return unfinished;
        tried = 0;
        continue;
      }
      if (line === null) tried++;
      if (line === null || --this.#turnLeft <= 0) {
        this.#turn = (this.#turn + 1) % this.#order.length;
        this.#turnLeft = TURN;
      }
      if (line !== null) return lineOf(tail, line);
    }
    return null;
  }

  scan(): void {
    const scannedAt = Date.now();
    const paths = new Set(this.#options.patterns.flatMap(expand));
    for (const path of paths) this.#look(path, 'start');
    for (const [path, tail] of this.#byPath) if (!paths.has(path)) this.#retire(path, tail);
    for (const tail of this.#order) if (this.#isOver(tail)) this.#giveUp(tail);
    this.#scannedAt = scannedAt;
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.close();
    this.#tails.clear();
    this.#byPath.clear();
    this.#order = [];
  }

  /** What a watched path leads to now. */
  #look(path: string, from: 'start' | 'end'): void {
    const identity = identify(path);
    const before = this.#byPath.get(path);
    if (identity !== null && before !== undefined && idOf(identity) === idOf(before)) return;
    if (before !== undefined) this.#retire(path, before);
    if (identity === null) {
      const why = whyUnfit(path);
      if (why !== '') this.#complain('unreadable', path, `a log can not be read: ${why}`);
      return;
    }
    const known = this.#tails.get(idOf(identity));
    if (known !== undefined) {
      known.retired = false;
      this.#byPath.set(path, known);
    } else this.#open(path, from);
    const left = this.#left.get(path);
    this.#left.delete(path);
    // Between two looks it may have been rotated more than once.
    if (left !== undefined) this.#lookAround(left);
  }

  #open(path: string, from: 'start' | 'end'): void {
    try {
      const tail = ifReadable(() => Tail.open(path));
      if (tail === null) this.#complain('unreadable', path, 'a log can not be read');
      if (tail === null || !this.#add(tail)) return;
      if (from === 'end') tail.seekEnd();
      this.#byPath.set(path, tail);
    } catch (error) {
      this.#complain('unreadable', path, 'a log can not be opened', error);
    }
  }

  #complain(event: string, path: string, message: string, err?: unknown): void {
    this.#options.events.add(event);
    const key = `${event} ${path}`;
    if (this.#warned.has(key) || this.#warned.size > 1000) return;
    this.#warned.add(key);
    this.#options.log.warn({ path, err }, message);
  }

  #add(tail: Tail): boolean {
    const id = idOf(tail);
    if (this.#tails.size >= MAX_FILES || this.#tails.has(id)) {
      tail.close();
      if (!this.#tails.has(id)) this.#complain('too_many_files', tail.path, 'more logs match than are read at once');
      return false;
    }
    this.#tails.set(id, tail);
    this.#order.push(tail);
    return true;
  }

  #retire(path: string, tail: Tail): void {
    this.#byPath.delete(path);
    this.#left.set(path, { position: tail.position, since: this.#scannedAt });
    tail.retired = ![...this.#byPath.values()].includes(tail);
    tail.grewAt = performance.now();
  }

  #isOver(tail: Tail): boolean {
    return tail.retired && tail.drained && performance.now() - tail.grewAt >= this.#retiredMs;
  }

  #giveUp(tail: Tail): void {
    const { position } = tail;
    const rest = tail.rest();
    if (rest !== null) this.#rests.push({ line: lineOf(tail, rest), position });
    this.#past.set(idOf(tail), tail.position);
    if (this.#past.size > MAX_PAST) this.#past.delete(this.#past.keys().next().value as string);
    this.#tails.delete(idOf(tail));
    this.#order = this.#order.filter((one) => one !== tail);
    this.#turn = 0;
    tail.close();
  }

  /** Where the agent before this one stopped. */
  #resume(state: FilesState | null): void {
    const moved: { readonly position: TailPosition; readonly found: boolean }[] = [];
    for (const position of state?.files ?? []) {
      const tail = findAgain(position);
      if (tail !== null && !this.#add(tail)) continue;
      const now = identify(position.path);
      const there = tail !== null && now !== null && idOf(now) === idOf(tail);
      if (there) this.#byPath.set(position.path, tail);
      else moved.push({ position, found: tail !== null });
      if (tail !== null) tail.retired = !there;
    }
    const lost = moved.filter(({ found }) => !found).map(({ position }) => position);
    const continued = new Set<TailPosition>();
    for (const { position } of moved)
      this.#lookAround({ position, since: state?.savedAt ?? 0 }, (copied) => continued.add(copied), lost);
    for (const position of lost)
      if (!continued.has(position))
        this.#complain('vanished', position.path, 'a log that was being read is gone: what its end had is not known');
  }

  /** Emptied, or written anew: what had not been read may be in a copy. */
  #rewritten(tail: Tail): LogLine | null {
    this.#options.events.add('rewritten');
    const { position } = tail;
    let copied = false;
    for (const sibling of writtenSince(position.path, this.#scannedAt - CLOCK_SLACK_MS)) {
      if (this.#tails.has(idOf(sibling))) continue;
      const copy = openCopy(sibling.path, position);
      copied ||= copy !== null;
      this.#addRetired(copy ?? this.#openShorter(sibling.path, tail));
    }
    const rest = copied ? null : tail.rest();
    tail.restart();
    return rest === null ? null : lineOf(tail, rest);
  }

  /** Rotated files that nobody has looked at; some may be copies of what was being read, and go on where reading stopped. */
  #lookAround(
    { position, since }: Left,
    onCopy: (of: TailPosition) => void = () => {},
    lost: readonly TailPosition[] = [],
  ): void {
    const { path } = position;
    for (const sibling of writtenSince(path, since - CLOCK_SLACK_MS)) {
      if (this.#tails.has(idOf(sibling))) continue;
      const past = this.#past.get(idOf(sibling));
      const known = past === undefined ? null : openAt(sibling.path, past);
      if (known !== null) {
        this.#addRetired(known);
        continue;
      }
      const live = this.#order.filter((tail) => tail.path === path).map((tail) => tail.position);
      const original = [...lost, ...live].find(
        (one) => one.path === path && this.#addRetired(openCopy(sibling.path, one)),
      );
      if (original !== undefined) onCopy(original);
      else this.#addRetired(ifReadable(() => Tail.open(sibling.path, path)));
    }
  }

  /** A copy that was made before the last lines were read from the file itself: there is nothing new in it. null: it is none. */
  #openShorter(path: string, original: Tail): Tail | null {
    const tail = ifReadable(() => Tail.open(path, original.path));
    if (tail === null) return null;
    if (tail.isCopyOf(original)) {
      tail.seekEnd();
      return tail;
    }
    tail.close();
    return null;
  }

  /** false: there was none. */
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
