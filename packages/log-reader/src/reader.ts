import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { type Backoff, backoffMs, defined, Tallies } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { wallOffset } from '@ringfence/host-kit';
import { type SigningKey, TOPIC } from '@ringfence/wire';
import { Bell } from './bell.ts';
import { FileSource } from './files.ts';
import { hasJournal, JournalSource } from './journal.ts';
import { LineLimit } from './limit.ts';
import type { LogSource } from './line.ts';
import { documentOf, type LogOrigin, pathsOnHost, recordOf } from './record.ts';
import { type Kept, type LogState, LogStateFile, newRun } from './state.ts';

export interface LogOptions {
  /** paths below `root`; `*` may stand in their last part. None: no files are read */
  readonly files: readonly string[];
  /** where the host's file system is: its lines tell their paths without it. @default / */
  readonly root?: string;
  /** auto: when none of the files is there and journald runs */
  readonly journald: 'auto' | 'on' | 'off';
  /** of one file or unit; what is more is dropped and counted, ten seconds' worth may come at once */
  readonly linesPerSecond: number;
  /** ms between two looks at files that lines come to. @default 250 */
  readonly pollMs?: number;
  /** ms between two looks for new files when none has come for long; what is written to those that are open is told by the kernel. @default 10 s */
  readonly restMs?: number;
  /** ms a file that was moved away is kept open. @default 60 s */
  readonly retiredMs?: number;
  /** @default journalctl */
  readonly journalctl?: string;
}

export interface LogDeps {
  readonly options: LogOptions;
  readonly stateDir: string;
  /** the topic logs-raw must exist */
  readonly bus: Pick<Bus, 'produce'>;
  readonly identity: {
    readonly hostId: string;
    readonly bootId: string;
    readonly key: SigningKey;
    readonly agentVersion: string;
  };
  readonly log: Log;
  /** for crash tests */
  readonly failpoint?: (point: 'before-state' | 'after-state' | 'after-bus') => void;
}

export interface LogStats {
  readonly logs: {
    readonly lines: number;
    readonly records: number;
    readonly bytes: number;
    /** files open */
    readonly files: number;
    /** times that the bus refused, or the disk */
    readonly refusals: number;
  };
  /** lines that will never be events, by cause, since the run began */
  readonly logDrops: Readonly<Record<string, number>>;
  /** what happened to files and to the journal, by name, since this start */
  readonly logEvents: Readonly<Record<string, number>>;
}

/** A record stays below what every bus takes, and a poll of a busy log is one record. */
const RECORD_BYTES = 512 * 1024;
const RECORD_LINES = 4096;
const POLL_MS = 250;
const SCAN_MS = 1000;
const REST_MS = 10_000;
/** Looks in a row without a line until it rests. */
const QUIET_LOOKS = 8;
/** Brokers that don't take a record for longer are away. */
const OFFER_MS = 2000;
const RETRY: Backoff = { firstMs: 50, maxMs: 2000, jitter: false };

/** Reads the host's logs and brings them to `logs-raw`. While the bus is away lines wait where they are: in their files, and in the journal. */
export class LogReader implements AsyncDisposable {
  /** Rejects when reading can't go on. */
  readonly done: Promise<void>;
  readonly #deps: LogDeps;
  readonly #file: LogStateFile;
  readonly #stop = new AbortController();
  readonly #happened = new Tallies();
  readonly #limit: LineLimit;
  readonly #origin: LogOrigin;
  readonly #files: FileSource;
  readonly #journal: JournalSource | null;
  readonly #sources: LogSource[];
  #state: LogState;
  /** the last record made is on the bus */
  #delivered = true;
  readonly #bell = new Bell(() => this.#rung());
  /** ends the wait that is going on */
  #endWait: () => void = () => {};
  /** It waits for lines, not for the disk or the bus. */
  #resting = false;
  /** in a row, without a line */
  #quietLooks = 0;
  #lines = 0;
  #records = 0;
  #bytes = 0;
  #refusals = 0;
  #scannedAt = performance.now();

  constructor(deps: LogDeps) {
    const { options, identity, log, stateDir } = deps;
    this.#deps = deps;
    this.#file = new LogStateFile(stateDir);
    this.#limit = new LineLimit(options.linesPerSecond);
    const kept = this.#file.read();
    const before = kept?.state;
    this.#state = before?.bootId === identity.bootId ? before : newRun(identity.bootId, before);
    const { retiredMs, root = '/' } = options;
    this.#origin = { ...identity, run: this.#state.run, hostname: hostname(), pathOnHost: pathsOnHost(root) };
    const settings = { patterns: options.files.map((path) => join(root, path)), log, events: this.#happened };
    this.#files = new FileSource({ ...settings, ...defined({ retiredMs }) }, this.#state.files);
    this.#journal = this.#openJournal();
    this.#sources = this.#journal === null ? [this.#files] : [this.#files, this.#journal];
    this.done = this.#run(kept?.pending ?? null);
    this.done.catch(() => {});
  }

  #openJournal(): JournalSource | null {
    const { options, identity, log } = this.#deps;
    const { journald, journalctl } = options;
    if (journald === 'off' || (journald === 'auto' && this.#files.count > 0)) return null;
    if (journald === 'auto' && !hasJournal()) {
      log.info({ files: options.files }, 'no log is read: none of the files is there, and journald does not run here');
      return null;
    }
    const wake = (): void => this.#wake();
    const settings = { bootId: identity.bootId, log, events: this.#happened, wake };
    return new JournalSource({ ...settings, ...defined({ command: journalctl }) }, this.#state.cursor);
  }

  stats(): LogStats {
    const [lines, records, bytes] = [this.#lines, this.#records, this.#bytes];
    return {
      logs: { lines, records, bytes, files: this.#files.count, refusals: this.#refusals },
      logDrops: this.#state.drops,
      logEvents: this.#happened.snapshot(),
    };
  }

  /** Ends after the record in hand, or leaves that to the next start when the bus doesn't take it. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#endWait();
    await this.done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(pending: Buffer | null): Promise<void> {
    try {
      if (pending !== null) await this.#produce(pending);
      // Where reading began must be known after a crash too.
      else await this.#save(this.#positions(), null);
      while (!this.#stop.signal.aborted) if (!(await this.#cycle())) await this.#idle();
      if (this.#delivered) await this.#file.write({ state: this.#state, pending: null });
    } finally {
      this.#bell.close();
      for (const source of this.#sources) source.close();
    }
  }

  /** Lines → record → disk → bus. false: there was none. */
  async #cycle(): Promise<boolean> {
    this.#scan();
    const now = Date.now() * 1000;
    const { documents, sequence, drops } = this.#take(now);
    if (sequence === this.#state.sequence) return false;
    this.#quietLooks = 0;
    const facts = { wallOffset: wallOffset(), sentAt: now, sequence, drops };
    const record = recordOf(documents, this.#origin, facts, this.#deps.identity.key);
    this.#reach('before-state');
    if (!(await this.#save({ ...this.#positions(), sequence, drops }, record))) return true;
    this.#reach('after-state');
    if (!(await this.#produce(record))) return true;
    this.#reach('after-bus');
    this.#lines += documents.length;
    this.#records++;
    this.#bytes += record.length;
    return true;
  }

  #take(now: number): { documents: string[]; sequence: number; drops: Record<string, number> } {
    const documents: string[] = [];
    const drops = { ...this.#state.drops };
    let { sequence } = this.#state;
    let bytes = 0;
    // Each goes first in turn: a flood in one doesn't hide the other.
    this.#sources.reverse();
    let left = RECORD_LINES;
    for (const source of this.#sources) {
      while (bytes < RECORD_BYTES && left-- > 0) {
        const line = source.next();
        if (line === null) break;
        if (line.length === 0) continue;
        sequence++;
        // It has a number all the same: a gap tells what was dropped.
        if (!this.#limit.take(line.path)) drops['log_rate'] = (drops['log_rate'] ?? 0) + 1;
        else bytes += documents[documents.push(documentOf(line, sequence, this.#origin, now)) - 1]?.length ?? 0;
      }
    }
    return { documents, sequence, drops };
  }

  #scan(): void {
    if (performance.now() - this.#scannedAt < SCAN_MS) return;
    this.#scannedAt = performance.now();
    for (const source of this.#sources) source.scan();
  }

  #positions(): LogState {
    return { ...this.#state, files: this.#files.state, cursor: this.#journal?.cursor ?? this.#state.cursor };
  }

  /** false: the reader was stopped before the disk took it. */
  #save(state: LogState, pending: Buffer | null): Promise<boolean> {
    const kept: Kept = { state, pending };
    return this.#insist('the disk has no room for how far logs were read', isFull, async () => {
      await this.#file.write(kept);
      this.#state = state;
      this.#delivered = pending === null;
    });
  }

  /** false: the reader was stopped before the bus took it. */
  async #produce(value: Buffer): Promise<boolean> {
    const { bus, identity } = this.#deps;
    this.#delivered = await this.#insist('the bus takes no log lines: they wait in their files', isPassing, () =>
      bus.produce([{ topic: TOPIC.logsRaw, key: identity.hostId, value }], OFFER_MS),
    );
    return this.#delivered;
  }

  /** Tries again for as long as what goes wrong may pass. */
  async #insist(what: string, passes: (error: unknown) => boolean, run: () => Promise<void>): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        await run();
        return true;
      } catch (err) {
        if (!passes(err)) throw err;
        this.#refusals++;
        if (attempt === 0) this.#deps.log.warn({ err }, what);
        if (this.#stop.signal.aborted) return false;
      }
      await this.#sleep(backoffMs(attempt, RETRY));
    }
  }

  /** Until a line may have come. */
  async #idle(): Promise<void> {
    const { pollMs = POLL_MS, restMs = REST_MS } = this.#deps.options;
    this.#resting = true;
    await this.#sleep(this.#isQuiet() ? restMs : pollMs);
    this.#resting = false;
  }

  /** Whoever brings a line from now on wakes the reader. */
  #isQuiet(): boolean {
    if (++this.#quietLooks <= QUIET_LOOKS || !this.#sources.every((source) => source.settled)) return false;
    if (this.#bell.hang(this.#sources.flatMap((source) => source.paths))) return true;
    // What was moved there before the bell hung is found now.
    this.#scannedAt = Number.NEGATIVE_INFINITY;
    return false;
  }

  /** A file was written, or moved. */
  #rung(): void {
    this.#scannedAt = Number.NEGATIVE_INFINITY;
    this.#wake();
  }

  #wake(): void {
    this.#quietLooks = 0;
    if (this.#resting) this.#endWait();
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #reach(point: 'before-state' | 'after-state' | 'after-bus'): void {
    this.#deps.failpoint?.(point);
  }
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Full, or away for a while. */
function isPassing(error: unknown): boolean {
  const { code, fate } = error as { code?: unknown; fate?: unknown };
  return code === 'ERR_BUS_FULL' || fate === 'retriable';
}
