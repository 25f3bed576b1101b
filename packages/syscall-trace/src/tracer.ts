import { closeSync, openSync } from 'node:fs';
import { BpfObject, type RingBuffer } from '@ringfence/libbpf-ts';
import type { SystemCall } from './calls.ts';
import { TraceReader, type TraceRecord } from './record.ts';

/** enum tr_target */
const TRACED = 1;
const ARMED = 2;
/** What is in the table for every number that has no name here: shown, without texts. */
const NUMBERS = 1024;
const RECORD_MAX_BYTES = 4096;

export interface TracerOptions {
  readonly objectPath: string;
  readonly calls: ReadonlyMap<number, SystemCall>;
  /** numbers of the calls that are shown; null: all */
  readonly only: ReadonlySet<number> | null;
  /** processes that a traced one starts are traced too */
  readonly follow: boolean;
  /** directory of a cgroup: all processes in it and below */
  readonly cgroup: string | null;
  /** false: arguments that point to text are not read */
  readonly texts: boolean;
}

/** The tracer in the kernel: gone with this object, or with this process. */
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
    this.#describe(options);
    if (options.cgroup !== null) this.#choose(options.cgroup);
    stack.move();
  }

  /** Tells the kernel which calls are wanted, and where their texts are. */
  #describe({ calls, only }: TracerOptions): void {
    const map = this.#object.map('tr_calls');
    for (let number = 0; number < NUMBERS; number++) {
      const call = calls.get(number);
      const read = Uint8Array.from({ length: 6 }, (_, index) => call?.arguments[index]?.read ?? 0);
      const exec = call?.name === 'execve' || call?.name === 'execveat';
      const wanted = only === null || only.has(number);
      map.set(number, { wanted: wanted ? 1 : 0, exec: exec ? 1 : 0, arguments: read });
    }
  }

  #choose(cgroup: string): void {
    const fd = openSync(cgroup, 'r');
    try {
      this.#object.map('tr_cgroup').set(0, fd);
    } finally {
      closeSync(fd);
    }
  }

  /** `armed`: from its next exec on. */
  trace(tgid: number, armed = false): void {
    this.#object.map('tr_targets').set(tgid, armed ? ARMED : TRACED);
  }

  /** No process that was named, or followed, is left. */
  get over(): boolean {
    for (const _ of this.#object.map('tr_targets').entries()) return false;
    return true;
  }

  attach(): void {
    this.#object.attach();
  }

  /** No further records. */
  detach(): void {
    for (const link of this.#object.links) link[Symbol.dispose]();
  }

  /** Records that found no room. */
  get lost(): bigint {
    return this.#object.globals['tr_lost'] as bigint;
  }

  /** What is there now. */
  *take(): Generator<TraceRecord, void, void> {
    this.#ring.begin();
    while (this.#ring.next()) yield this.#reader.read(this.#ring.bytes, this.#ring.offset, this.#ring.length);
    this.#ring.release();
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}
