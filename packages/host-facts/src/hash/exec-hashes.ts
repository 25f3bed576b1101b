import { readlinkSync } from 'node:fs';
import type { Log } from '@ringfence/base';
import { ifReadable } from '@ringfence/host-kit';
import type { RecordSource } from '@ringfence/sensor';
import { records } from '@ringfence/wire';
import { EXECUTABLE, type ExecFile, fileKey, hashRequest, readExecId, readFile, SCRIPT } from './exec-files.ts';
import { HashThread } from './hash-thread.ts';
import type { HashAnswer, HashFact, HashLimits, HashSink, Requester, SkipReason } from './types.ts';

/**
 * Files whose hashes are remembered. Less than what the enricher keeps of a host
 * (services/enricher/src/state/known-hashes.ts), so that it still knows the hashes that are not emitted again.
 */
const FILES_MAX = 4096;
const QUEUE_MAX = 1024;
/** Execs of a file for which its hash is emitted. Further ones get it with the next exec of the file. */
const WAITING_MAX = 32;
/** A known hash is emitted again after this time, in case its batch was dropped. */
const EMIT_AGAIN_MS = 600_000;

export interface ExecHashesOptions extends HashLimits {
  readonly enabled: boolean;
  readonly log: Log;
  /** called when an answer is ready to be flushed */
  readonly onAnswer: () => void;
  /** time without work after which the thread ends. @default 10 s */
  readonly idleMs?: number;
  /** time after which a system call of the thread counts as stuck. @default 30 s */
  readonly callMaxMs?: number;
}

const mountsOf = (pid: string): number =>
  Number(/\d+/.exec(ifReadable(() => readlinkSync(`/proc/${pid}/ns/mnt`)) ?? '')?.[0] ?? 0);
/** The mount namespace of the host, or of this process where pid 1 can't be read. */
const HOST_MOUNTS = mountsOf('1') || mountsOf('self');

/** Counts since this start. */
export interface HashStats {
  /** files that were hashed */
  readonly hashed: number;
  /** sum of their sizes */
  readonly bytes: number;
  /** execs of a file whose hash was known */
  readonly cached: number;
  /** execs of a file that was being hashed */
  readonly shared: number;
  /** by reason */
  readonly skipped: Readonly<Record<string, number>>;
  /** files that are being hashed or wait for it */
  readonly waiting: number;
  /** system calls that did not return, each of which holds a thread */
  readonly stuck: number;
}

interface WaitingExec extends Requester {
  /** the process has executed something else since */
  superseded: boolean;
}

interface TrackedFile extends ExecFile {
  readonly key: string;
  readonly waiting: WaitingExec[];
  /** undefined while it is being hashed */
  answer: HashAnswer | undefined;
  /** ms, monotonic */
  emittedAt: number;
}

/**
 * Hashes the files that are executed, scripts included. A file is hashed once for each ctime of its inode, on threads
 * of their own. The hash is emitted as an event of the processes whose execs wait for it, and serves all later execs.
 */
export class ExecHashes {
  readonly #options: ExecHashesOptions;
  /** Other mount namespaces may have file systems of their users, which must not hold the hashes of the host. */
  readonly #threads: Readonly<Record<'host' | 'others', HashThread>>;
  readonly #files = new Map<string, TrackedFile>();
  readonly #outstanding = new Map<number, TrackedFile>();
  /** By tgid. */
  readonly #waitingExecs = new Map<number, WaitingExec[]>();
  readonly #answers: HashAnswer[] = [];
  readonly #facts: HashFact[] = [];
  readonly #skipped: Record<string, number> = {};
  #nextId = 1;
  #hashed = 0;
  #bytes = 0;
  #cached = 0;
  #shared = 0;

  constructor(options: ExecHashesOptions) {
    this.#options = options;
    const { log, idleMs, callMaxMs, onAnswer } = options;
    const thread = (isHost: boolean): HashThread =>
      new HashThread({
        limits: options,
        ...{ isHost, log, idleMs, callMaxMs },
        onAnswer: (answer) => {
          this.#answers.push({ ...UNANSWERED, ...answer });
          onAnswer();
        },
      });
    this.#threads = { host: thread(true), others: thread(false) };
  }

  /** Called before each exec is written, with the start of its record (struct rf_exec). */
  onExec(source: RecordSource, at: number): void {
    if (!this.#options.enabled) return;
    for (const exec of this.#waitingExecs.get(records.headerTgid(source.view, at)) ?? []) exec.superseded = true;
    this.#onFile(source, at, EXECUTABLE);
    this.#onFile(source, at, SCRIPT);
  }

  #onFile(source: RecordSource, at: number, offsets: typeof EXECUTABLE): void {
    const key = fileKey(source, at, offsets);
    if (key === null) return;
    const known = this.#files.get(key);
    if (known?.answer !== undefined) {
      this.#onCached(known);
      return;
    }
    const exec: WaitingExec = {
      tgid: records.headerTgid(source.view, at),
      start: Buffer.from(source.bytes.subarray(at + records.HEADER_START, at + records.HEADER_START + 8)),
      execId: readExecId(source, at),
      script: offsets === SCRIPT,
      superseded: false,
    };
    if (known === undefined) {
      const file = { ...readFile(source, at, offsets), key, waiting: [], answer: undefined, emittedAt: 0 };
      this.#request(file, exec, source, at);
    } else {
      this.#shared++;
      if (known.waiting.length < WAITING_MAX) this.#addWaiting(known, exec);
    }
  }

  #onCached(file: TrackedFile): void {
    this.#cached++;
    const now = performance.now();
    if (now - file.emittedAt < EMIT_AGAIN_MS) return;
    file.emittedAt = now;
    this.#facts.push(factOf(file, file.answer as HashAnswer, null));
  }

  #addWaiting(file: TrackedFile, exec: WaitingExec): void {
    file.waiting.push(exec);
    const ofProcess = this.#waitingExecs.get(exec.tgid);
    if (ofProcess === undefined) this.#waitingExecs.set(exec.tgid, [exec]);
    else ofProcess.push(exec);
  }

  #request(file: TrackedFile, exec: WaitingExec, source: RecordSource, at: number): void {
    if (this.#outstanding.size >= (this.#options.queueMax ?? QUEUE_MAX)) {
      this.#countSkipped('queue full');
      this.#facts.push(factOf(file, skippedAnswer('queue full'), exec));
      return;
    }
    const id = this.#nextId++;
    this.#files.set(file.key, file);
    this.#outstanding.set(id, file);
    this.#addWaiting(file, exec);
    this.#evictOldest();
    const request = hashRequest(source, at, file, { id, isScript: exec.script });
    this.#threads[request.mountNamespace === HOST_MOUNTS ? 'host' : 'others'].post(request);
  }

  #evictOldest(): void {
    if (this.#files.size <= FILES_MAX) return;
    const [oldest = ''] = this.#files.keys();
    this.#files.delete(oldest);
  }

  /**
   * Emits the results so far.
   * @param upToDate whether all execs up to now have been seen. If not, results that are valid only if the process has
   * not executed another program stay in the queue.
   */
  flush(sink: HashSink, upToDate: boolean): void {
    for (const fact of this.#facts.splice(0)) sink.hash(fact);
    for (const answer of this.#answers.splice(0)) {
      if (answer.touched && !upToDate) this.#answers.push(answer);
      else this.#emit(answer, sink);
    }
  }

  #emit(answer: HashAnswer, sink: HashSink): void {
    const file = this.#outstanding.get(answer.id);
    if (file === undefined) return;
    this.#outstanding.delete(answer.id);
    if (this.#outstanding.size === 0) for (const thread of Object.values(this.#threads)) thread.startIdleTimer();
    const result = answer.touched && file.waiting[0]?.superseded === true ? skippedAnswer('changed') : answer;
    if (result.skipped !== null) this.#countSkipped(result.skipped);
    else {
      this.#hashed++;
      this.#bytes += result.size;
    }
    if (result.lasting) {
      file.answer = result;
      file.emittedAt = performance.now();
    } else if (this.#files.get(file.key) === file) this.#files.delete(file.key);
    for (const exec of file.waiting) this.#removeWaiting(exec);
    for (const exec of file.waiting) sink.hash(factOf(file, result, exec));
    file.waiting.length = 0;
  }

  #removeWaiting(exec: WaitingExec): void {
    const remaining = this.#waitingExecs.get(exec.tgid)?.filter((candidate) => candidate !== exec) ?? [];
    if (remaining.length === 0) this.#waitingExecs.delete(exec.tgid);
    else this.#waitingExecs.set(exec.tgid, remaining);
  }

  #countSkipped(reason: SkipReason): void {
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1;
  }

  stats(): HashStats {
    const counts = { hashed: this.#hashed, bytes: this.#bytes, cached: this.#cached, shared: this.#shared };
    return {
      ...counts,
      skipped: { ...this.#skipped },
      waiting: this.#outstanding.size,
      stuck: this.#threads.host.stuckCalls + this.#threads.others.stuckCalls,
    };
  }

  /** Ends the threads. Their outstanding requests get no answer. */
  async close(): Promise<void> {
    await Promise.all([this.#threads.host.end(), this.#threads.others.end()]);
  }
}

const UNANSWERED: HashAnswer = { id: 0, size: 0, sha256: null, skipped: null, lasting: false, touched: false };
const skippedAnswer = (skipped: SkipReason): HashAnswer => ({ ...UNANSWERED, skipped });

function factOf(file: TrackedFile, answer: HashAnswer, process: WaitingExec | null): HashFact {
  const { device, inode, ctime, path, pathLength } = file;
  const { size, sha256, skipped, lasting } = answer;
  return { device, inode, ctime, path, pathLength, size, sha256, skipped, lasting, process };
}
