import { Worker } from 'node:worker_threads';
import type { Log } from '@ringfence/base';
import type { RecordSource } from '@ringfence/sensor';
import { records } from '@ringfence/wire';
import type { Asker, HashAnswer, HashFact, HashLimits, HashRequest, HashSink, Skipped } from './types.ts';

/** Fewer than the enricher keeps of a host (services/enricher/src/state/known-hashes.ts): what is taken for told here must be known there. */
const FILES_MAX = 4096;
const QUEUE_MAX = 1024;
/** Execs of one file that are told of when its hash comes; of others the next events know it. */
const WAITING_MAX = 32;
/** What is known is told again, of the file alone: a batch may have been dropped. */
const TELL_AGAIN_MS = 600_000;
/** A thread that has nothing to hash keeps some 20 MB; to start one takes some 60 ms of CPU. */
const IDLE_MS = 10_000;
const RESOURCES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

export interface ExecHashesOptions extends HashLimits {
  readonly enabled: boolean;
  readonly log: Log;
  /** an answer is there to be flushed */
  readonly onAnswer: () => void;
  /** ms without anything to hash after which the thread ends. @default 10 s */
  readonly idleMs?: number;
}

/** What became of the files since this start. */
export interface HashStats {
  /** files read to their end */
  readonly hashed: number;
  /** bytes of these */
  readonly bytes: number;
  /** execs, of a file that was known */
  readonly cached: number;
  /** … that was being hashed */
  readonly shared: number;
  /** by reason */
  readonly skipped: Readonly<Record<string, number>>;
  /** files that are waiting */
  readonly waiting: number;
}

interface Executed extends Asker {
  /** it has executed something else since */
  again: boolean;
}

interface File {
  /** device, inode and ctime */
  readonly key: string;
  readonly device: number;
  readonly inode: bigint;
  readonly ctime: bigint;
  readonly path: Buffer;
  readonly pathLength: number;
  readonly waiting: Executed[];
  /** undefined: it is being hashed */
  answer: HashAnswer | undefined;
  /** ms, monotonic */
  toldAt: number;
}

/** Where a record (struct rf_exec) tells of a file: device, inode, right behind that its ctime, path. */
const { EXEC_DEVICE, EXEC_INODE, EXEC_CTIME, EXEC_PATH } = records;
const EXECUTABLE = [EXEC_DEVICE, EXEC_INODE, EXEC_CTIME, EXEC_PATH] as const;
const { EXEC_SCRIPT_DEVICE, EXEC_SCRIPT_INODE, EXEC_SCRIPT_CTIME, EXEC_SCRIPT } = records;
const SCRIPT = [EXEC_SCRIPT_DEVICE, EXEC_SCRIPT_INODE, EXEC_SCRIPT_CTIME, EXEC_SCRIPT] as const;

/**
 * Which files are executed, scripts included, and what is known of them. Each is hashed once for each ctime of its inode, on a thread of its own; what
 * comes of it goes out as events of the processes whose exec has asked, and stands for every later exec of the file.
 */
export class ExecHashes {
  readonly #options: ExecHashesOptions;
  readonly #files = new Map<string, File>();
  readonly #outstanding = new Map<number, File>();
  /** by tgid: execs that wait */
  readonly #executed = new Map<number, Executed[]>();
  readonly #answers: HashAnswer[] = [];
  readonly #facts: HashFact[] = [];
  readonly #skipped: Record<string, number> = {};
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** every thread that was told to end has ended */
  #ended: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #hashed = 0;
  #bytes = 0;
  #cached = 0;
  #shared = 0;

  constructor(options: ExecHashesOptions) {
    this.#options = options;
  }

  /** Called for each exec, with where its record (struct rf_exec) lies, before it is written. */
  seen(source: RecordSource, at: number): void {
    if (!this.#options.enabled) return;
    const { view } = source;
    for (const earlier of this.#executed.get(records.headerTgid(view, at)) ?? []) earlier.again = true;
    this.#seenFile(source, at, EXECUTABLE);
    this.#seenFile(source, at, SCRIPT);
  }

  #seenFile(source: RecordSource, at: number, place: typeof EXECUTABLE | typeof SCRIPT): void {
    const { view, bytes } = source;
    const [deviceAt, inodeAt, ctimeAt, pathAt] = place;
    if (view.getUint32(at + inodeAt, true) === 0 && view.getUint32(at + inodeAt + 4, true) === 0) return;
    const device = view.getUint32(at + deviceAt, true);
    const key = `${device} ${bytes.toString('latin1', at + inodeAt, at + ctimeAt + 8)}`;
    const known = this.#files.get(key);
    if (known?.answer !== undefined) {
      this.#remember(known);
      return;
    }
    const tgid = records.headerTgid(view, at);
    const execId = records.headerExecIdHi(view, at) * 2 ** 32 + records.headerExecIdLo(view, at);
    const start = Buffer.from(bytes.subarray(at + records.HEADER_START, at + records.HEADER_START + 8));
    const executed = { tgid, start, execId, script: place === SCRIPT, again: false };
    if (known !== undefined) this.#join(known, executed);
    else {
      const [inode, ctime] = [view.getBigUint64(at + inodeAt, true), view.getBigUint64(at + ctimeAt, true)];
      this.#ask(fileAt(source, at, at + pathAt, { key, device, inode, ctime }), executed, view, at);
    }
  }

  #remember(file: File): void {
    this.#cached++;
    const now = performance.now();
    if (now - file.toldAt < TELL_AGAIN_MS) return;
    file.toldAt = now;
    this.#facts.push(factOf(file, file.answer as HashAnswer, null));
  }

  #join(file: File, executed: Executed): void {
    this.#shared++;
    if (file.waiting.length < WAITING_MAX) this.#await(file, executed);
  }

  #await(file: File, executed: Executed): void {
    file.waiting.push(executed);
    const others = this.#executed.get(executed.tgid);
    if (others === undefined) this.#executed.set(executed.tgid, [executed]);
    else others.push(executed);
  }

  #ask(file: File, executed: Executed, view: DataView, at: number): void {
    if (this.#outstanding.size >= (this.#options.queueMax ?? QUEUE_MAX)) {
      this.#count('queue full');
      this.#facts.push(factOf(file, skippedBecause('queue full'), executed));
      return;
    }
    const id = this.#nextId++;
    this.#files.set(file.key, file);
    this.#outstanding.set(id, file);
    this.#await(file, executed);
    this.#forgetOldest();
    const request: HashRequest = {
      id,
      device: file.device,
      inode: file.inode,
      ctime: file.ctime,
      mtime: view.getBigUint64(at + records.EXEC_MTIME, true),
      pid: executed.tgid,
      parentPid: records.execParentTgid(view, at),
      mountNamespace: records.namespacesMnt(view, at + records.EXEC_NAMESPACES),
      path: file.path,
      patient: records.execSnapshot(view, at) !== 0,
      memory: !executed.script && (records.execFlags(view, at) & records.ExecFlag.EXEC_MEMFD) !== 0,
    };
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #forgetOldest(): void {
    if (this.#files.size <= FILES_MAX) return;
    const [oldest = ''] = this.#files.keys();
    this.#files.delete(oldest);
  }

  #start(): Worker {
    const { maxBytes, bytesPerSecond, log, onAnswer } = this.#options;
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), {
      workerData: { maxBytes, bytesPerSecond },
      name: 'hasher',
      trackUnmanagedFds: false,
      resourceLimits: RESOURCES,
    });
    worker.unref();
    worker.on('message', (answer: HashAnswer) => {
      this.#answers.push(answer);
      onAnswer();
    });
    worker.on('error', (err) => log.warn({ err }, 'hashing has failed: it starts anew with the next executable'));
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const id of this.#outstanding.keys()) this.#answers.push({ ...skippedBecause('unreadable'), id });
      onAnswer();
    });
    return worker;
  }

  /**
   * Tells what has come. `upToDate`: every exec from before is known, so of a process that had to stay the same it is certain whether it did; otherwise
   * such answers wait.
   */
  flush(sink: HashSink, upToDate: boolean): void {
    for (const fact of this.#facts.splice(0)) sink.hash(fact);
    for (const answer of this.#answers.splice(0)) {
      if (answer.touched && !upToDate) this.#answers.push(answer);
      else this.#take(answer, sink);
    }
  }

  #rest(): void {
    this.#idle = setTimeout(() => void this.close(), this.#options.idleMs ?? IDLE_MS).unref();
  }

  #take(answer: HashAnswer, sink: HashSink): void {
    const file = this.#outstanding.get(answer.id);
    if (file === undefined) return;
    this.#outstanding.delete(answer.id);
    if (this.#outstanding.size === 0) this.#rest();
    const said = answer.touched && file.waiting[0]?.again === true ? skippedBecause('changed') : answer;
    if (said.skipped !== null) this.#count(said.skipped);
    else {
      this.#hashed++;
      this.#bytes += said.size;
    }
    if (said.lasting) {
      file.answer = said;
      file.toldAt = performance.now();
    } else if (this.#files.get(file.key) === file) this.#files.delete(file.key);
    for (const executed of file.waiting) this.#forget(executed);
    for (const executed of file.waiting) sink.hash(factOf(file, said, executed));
    file.waiting.length = 0;
  }

  #forget(executed: Executed): void {
    const left = this.#executed.get(executed.tgid)?.filter((one) => one !== executed) ?? [];
    if (left.length === 0) this.#executed.delete(executed.tgid);
    else this.#executed.set(executed.tgid, left);
  }

  #count(reason: Skipped): void {
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1;
  }

  stats(): HashStats {
    const counts = { hashed: this.#hashed, bytes: this.#bytes, cached: this.#cached, shared: this.#shared };
    return { ...counts, skipped: { ...this.#skipped }, waiting: this.#outstanding.size };
  }

  /** Resolves when the thread has ended. What it has in hand is not told any more; the next executable starts another one. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) {
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      this.#ended = Promise.all([this.#ended, ended]);
      worker.ref();
      worker.postMessage(null);
    }
    await this.#ended;
  }
}

const skippedBecause = (skipped: Skipped): HashAnswer => ({
  id: 0,
  size: 0,
  sha256: null,
  skipped,
  lasting: false,
  touched: false,
});

/** `text`: where the record at `at` tells its path. */
function fileAt(
  { view, bytes }: RecordSource,
  at: number,
  text: number,
  identity: Pick<File, 'key' | 'device' | 'inode' | 'ctime'>,
): File {
  const start = at + records.textOffset(view, text);
  // In memory of its own: with a piece of a pool, all of the pool would be copied to the thread, 64 KiB for each file.
  const path = Buffer.allocUnsafeSlow(records.textKept(view, text));
  bytes.copy(path, 0, start, start + path.length);
  return { ...identity, path, pathLength: records.textLength(view, text), waiting: [], answer: undefined, toldAt: 0 };
}

function factOf(file: File, answer: HashAnswer, process: Executed | null): HashFact {
  const { device, inode, ctime, path, pathLength } = file;
  const { size, sha256, skipped, lasting } = answer;
  return { device, inode, ctime, path, pathLength, size, sha256, skipped, lasting, process };
}
