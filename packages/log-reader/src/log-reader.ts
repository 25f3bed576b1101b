import { hostname } from 'node:os';
import { join } from 'node:path';
import { defined, type Log, Tallies } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { wallOffset } from '@ringfence/host-kit';
import type { SigningKey } from '@ringfence/wire';
import { type AlertOptions, AlertSource } from './alert-source.ts';
import { FileSource } from './file-source.ts';
import { IdleWait } from './idle-wait.ts';
import { hasJournal, JournalSource } from './journal-source.ts';
import { LineLimit } from './line-limit.ts';
import type { LogSource } from './log-source.ts';
import { documentOf, type LogOrigin, pathsOnHost, recordOf } from './record.ts';
import { RecordOutput } from './record-output.ts';
import { type LogState, LogStateFile, newRun } from './state.ts';

export interface LogOptions {
  /** paths below `root`; the last component may contain `*`. If empty, no files are read */
  readonly files: readonly string[];
  /** root of the host's file system, which is removed from the paths that lines report. @default / */
  readonly root?: string;
  /** auto: read the journal if none of the files exists and journald runs */
  readonly journald: 'auto' | 'on' | 'off';
  /** rate limit of one file or unit, with a burst of ten seconds; further lines are dropped and counted */
  readonly linesPerSecond: number;
  /** where other sensors post their alerts. @default nowhere */
  readonly alerts?: AlertOptions | undefined;
  /** interval of polls while lines come. @default 250 ms */
  readonly pollMs?: number;
  /**
   * interval of polls for new files after a long time without lines; writes to open files are notified. @default 10 s
   */
  readonly restMs?: number;
  /** ms for which a renamed file is kept open after it last grew. @default 60 s */
  readonly retiredMs?: number;
  /** @default journalctl */
  readonly journalctl?: string;
}

type Failpoint = 'before-state' | 'after-state' | 'after-bus';

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
  readonly failpoint?: (point: Failpoint) => void;
}

export interface LogStats {
  readonly logs: {
    readonly lines: number;
    readonly records: number;
    readonly bytes: number;
    /** files open */
    readonly files: number;
    /** failed attempts of the bus and of the disk */
    readonly refusals: number;
  };
  /** lines dropped since the run began, by cause */
  readonly logDrops: Readonly<Record<string, number>>;
  /** events of files and the journal since this start, by name */
  readonly logEvents: Readonly<Record<string, number>>;
}

/** A record must fit every bus, and hold the lines of a busy log between two polls. */
const RECORD_BYTES = 512 * 1024;
const RECORD_LINES = 4096;
const SCAN_MS = 1000;

interface Lines {
  readonly documents: readonly string[];
  readonly sequence: number;
  readonly drops: Readonly<Record<string, number>>;
}

/** Sends the host's logs to `logs-raw`. While the bus is down, lines wait in their files and in the journal. */
export class LogReader implements AsyncDisposable {
  /** Rejects when reading can't continue. */
  readonly done: Promise<void>;
  readonly #deps: LogDeps;
  readonly #file: LogStateFile;
  readonly #stop = new AbortController();
  readonly #events = new Tallies();
  readonly #limit: LineLimit;
  readonly #origin: LogOrigin;
  readonly #files: FileSource;
  readonly #journal: JournalSource | null;
  readonly #alerts: AlertSource | null;
  readonly #sources: LogSource[];
  readonly #output: RecordOutput;
  readonly #idle: IdleWait;
  #state: LogState;
  #lines = 0;
  #records = 0;
  #bytes = 0;
  #scannedAt = performance.now();

  constructor(deps: LogDeps) {
    const { options, identity, log, stateDir, bus } = deps;
    this.#deps = deps;
    this.#file = new LogStateFile(stateDir);
    this.#limit = new LineLimit(options.linesPerSecond);
    const saved = this.#file.read();
    const previous = saved?.state;
    this.#state = previous?.bootId === identity.bootId ? previous : newRun(identity.bootId, previous);
    const { root = '/', pollMs, restMs } = options;
    const { signal } = this.#stop;
    this.#origin = { ...identity, run: this.#state.run, hostname: hostname(), pathOnHost: pathsOnHost(root) };
    this.#output = new RecordOutput({ file: this.#file, bus, hostId: identity.hostId, log, signal });
    this.#files = this.#openFiles(root);
    this.#journal = this.#openJournal();
    this.#alerts = this.#openAlerts();
    this.#sources = [this.#files, this.#journal, this.#alerts].filter((source) => source !== null);
    this.#idle = new IdleWait({ sources: this.#sources, pollMs, restMs, signal, onChange: () => this.#scanNext() });
    this.done = this.#run(saved?.pending ?? null);
    this.done.catch(() => {});
  }

  #openFiles(root: string): FileSource {
    const { options, log } = this.#deps;
    const { files, retiredMs } = options;
    const settings = { patterns: files.map((path) => join(root, path)), log, events: this.#events };
    return new FileSource({ ...settings, ...defined({ retiredMs }) }, this.#state.files);
  }

  #openJournal(): JournalSource | null {
    const { options, identity, log } = this.#deps;
    const { journald, journalctl } = options;
    if (journald === 'off' || (journald === 'auto' && this.#files.count > 0)) return null;
    if (journald === 'auto' && !hasJournal()) {
      log.info({ files: options.files }, 'no log is read: none of the files exists, and journald does not run');
      return null;
    }
    const settings = { bootId: identity.bootId, log, events: this.#events, wake: () => this.#idle.wake() };
    return new JournalSource({ ...settings, ...defined({ command: journalctl }) }, this.#state.cursor);
  }

  #openAlerts(): AlertSource | null {
    const { alerts } = this.#deps.options;
    return alerts === undefined
      ? null
      : new AlertSource({ ...alerts, events: this.#events, wake: () => this.#idle.wake() });
  }

  /** Port where alerts are taken; 0: none, or not yet */
  get alertPort(): number {
    return this.#alerts?.port ?? 0;
  }

  stats(): LogStats {
    const { refusals } = this.#output;
    const [lines, records, bytes] = [this.#lines, this.#records, this.#bytes];
    return {
      logs: { lines, records, bytes, files: this.#files.count, refusals },
      logDrops: this.#state.drops,
      logEvents: this.#events.snapshot(),
    };
  }

  /** Finishes the current record, or leaves it to the next start if the bus does not take it. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#idle.end();
    await this.done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(pending: Buffer | null): Promise<void> {
    try {
      await this.#alerts?.ready;
      if (pending !== null) await this.#output.produce(pending);
      // Save the start positions, so that a crash before the first record does not lose lines.
      else await this.#save(this.#positions(), null);
      while (!this.#stop.signal.aborted) if (!(await this.#cycle())) await this.#idle.wait();
      if (this.#output.delivered) await this.#file.write({ state: this.#state, pending: null });
    } finally {
      this.#idle.close();
      for (const source of this.#sources) source.close();
    }
  }

  /** Takes lines, makes a record, writes it to disk, then to the bus. Returns false if there were no lines. */
  async #cycle(): Promise<boolean> {
    this.#scan();
    const now = Date.now() * 1000;
    const { documents, sequence, drops } = this.#takeLines(now);
    if (sequence === this.#state.sequence) return false;
    this.#idle.reset();
    const facts = { wallOffset: wallOffset(), sentAt: now, sequence, drops };
    const record = recordOf(documents, this.#origin, facts, this.#deps.identity.key);
    this.#deps.failpoint?.('before-state');
    if (!(await this.#save({ ...this.#positions(), sequence, drops }, record))) return true;
    for (const source of this.#sources) source.saved?.();
    this.#deps.failpoint?.('after-state');
    if (!(await this.#output.produce(record))) return true;
    this.#deps.failpoint?.('after-bus');
    this.#lines += documents.length;
    this.#records++;
    this.#bytes += record.length;
    return true;
  }

  #takeLines(now: number): Lines {
    const documents: string[] = [];
    const drops = { ...this.#state.drops };
    let { sequence } = this.#state;
    let bytes = 0;
    // Sources take turns in being first, so that a flood in one does not starve the other.
    this.#sources.reverse();
    let remaining = RECORD_LINES;
    for (const source of this.#sources) {
      while (bytes < RECORD_BYTES && remaining-- > 0) {
        const line = source.next();
        if (line === null) break;
        if (line.length === 0) continue;
        // A dropped line takes a number too, so that the gap shows the loss.
        sequence++;
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

  #scanNext(): void {
    this.#scannedAt = Number.NEGATIVE_INFINITY;
  }

  #positions(): LogState {
    return { ...this.#state, files: this.#files.state, cursor: this.#journal?.cursor ?? this.#state.cursor };
  }

  /** Returns false if the reader was closed before the state was on disk. */
  async #save(state: LogState, pending: Buffer | null): Promise<boolean> {
    const saved = await this.#output.save({ state, pending });
    if (saved) this.#state = state;
    return saved;
  }
}
