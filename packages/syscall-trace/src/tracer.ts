import { closeSync, openSync } from 'node:fs';
import { BpfObject, type RingBuffer } from '@ringfence/libbpf-ts';
import { TraceReader, type TraceRecord } from './record.ts';
import type { SystemCall } from './system-calls.ts';

/** enum tr_target of bpf/trace.h */
const TRACED = 1;
const ARMED = 2;
/** Size of the table of calls. A number without a name is traced without texts. */
const CALL_NUMBERS = 1024;
const RECORD_MAX_BYTES = 4096;

export interface TracerOptions {
  readonly objectPath: string;
  readonly calls: ReadonlyMap<number, SystemCall>;
  /** Numbers of the calls to trace; null: all. */
  readonly only: ReadonlySet<number> | null;
  /** Trace child processes of traced processes, too. */
  readonly follow: boolean;
  /** Directory of a cgroup whose processes, including child cgroups, are traced. */
  readonly cgroup: string | null;
  /** Read the texts that arguments point to. */
  readonly texts: boolean;
}

/** The tracer in the kernel. It is removed with this object, or when this process ends. */
export class Tracer implements Disposable {
  readonly #object: BpfObject;
  readonly #ring: RingBuffer;
  readonly #reader: TraceReader;

  constructor(options: TracerOptions) {
    const object = BpfObject.open(options.objectPath);
    using stack = new DisposableStack();
    stack.use(object);
    object.globals['tr_by_cgroup'] = options.cgroup === null ? 0 : 1;
    object.globals['tr_follow'] = options.follow ? 1 : 0;
    object.globals['tr_no_texts'] = options.texts ? 0 : 1;
    object.globals['tr_tracer'] = process.pid;
    object.load();
    this.#object = object;
    this.#ring = stack.use(object.map('tr_ring').ringBuffer({ recordMaxBytes: RECORD_MAX_BYTES }));
    this.#reader = new TraceReader(object.btf);
    this.#setCalls(options);
    if (options.cgroup !== null) this.#setCgroup(options.cgroup);
    stack.move();
  }

  /** Writes the table that the BPF program looks up: which calls are wanted, and which of their arguments are texts. */
  #setCalls({ calls, only }: TracerOptions): void {
    const map = this.#object.map('tr_calls');
    for (let number = 0; number < CALL_NUMBERS; number++) {
      const call = calls.get(number);
      const read = Uint8Array.from({ length: 6 }, (_, index) => call?.arguments[index]?.read ?? 0);
      const isExec = call?.name === 'execve' || call?.name === 'execveat';
      const isWanted = only === null || only.has(number);
      map.set(number, { wanted: isWanted ? 1 : 0, exec: isExec ? 1 : 0, arguments: read });
    }
  }

  #setCgroup(cgroup: string): void {
    const fd = openSync(cgroup, 'r');
    try {
      this.#object.map('tr_cgroup').set(0, fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Traces a process, at once or from its next exec on. */
  trace(tgid: number, { fromNextExec = false }: { readonly fromNextExec?: boolean } = {}): void {
    this.#object.map('tr_targets').set(tgid, fromNextExec ? ARMED : TRACED);
  }

  /** Whether all traced processes have ended. */
  get isOver(): boolean {
    for (const _ of this.#object.map('tr_targets').entries()) return false;
    return true;
  }

  attach(): void {
    this.#object.attach();
  }

  /** Stops tracing. Records that are in the ring can still be read. */
  detach(): void {
    for (const link of this.#object.links) link[Symbol.dispose]();
  }

  /** Number of records that were lost because the ring was full. */
  get lostRecords(): bigint {
    return this.#object.globals['tr_lost'] as bigint;
  }

  /** Yields the records that are in the ring now, and then releases them. */
  *readRecords(): Generator<TraceRecord, void, void> {
    this.#ring.begin();
    while (this.#ring.next()) yield this.#reader.read(this.#ring.bytes, this.#ring.offset, this.#ring.length);
    this.#ring.release();
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}
