import {
  createSigningKey,
  type Event,
  type KindName,
  RawBatchWriter,
  type SigningKey,
  signBytes,
  typeOf,
  U64_ZERO,
  u64FromBigInt,
} from '@ringfence/wire';
import type { SyntheticProcess } from './process.ts';

export interface SyntheticHostOptions {
  readonly hostId?: string;
  readonly bootId?: string;
  readonly run?: bigint;
  readonly key?: SigningKey;
  /** Time of the first event: µs, CLOCK_BOOTTIME. @default one hour */
  readonly ktime?: number;
  /** µs between two events. @default 1000 */
  readonly step?: number;
  /** µs from a ktime to the wall clock. @default 2026-01-01T00:00:00Z at boot */
  readonly wallOffset?: number;
}

/** Lane and CPU of an event. */
interface Placement {
  readonly lane: number;
  readonly cpu?: number;
  readonly late?: boolean;
}

/** The numbered events of one run of a sensor: assigns lanes, sequence numbers and times, and signs batches. */
export class EventStream {
  readonly hostId: string;
  readonly bootId: string;
  readonly key: SigningKey;
  readonly run: Buffer;
  readonly wallOffset: number;
  /** Time of the next event, µs. */
  ktime: number;
  step: number;
  /** CPU of the next events. */
  cpu = 0;
  /** Version of the interest that the next batches were filtered with. @default 0: unfiltered */
  interestVersion = 0;
  /** Marks the next events as late. */
  late = false;
  readonly #sequences = new Map<string, number>();
  readonly #drops = new Map<string, Record<string, number>>();
  readonly #writer: RawBatchWriter;
  readonly #events = typeOf('Event');

  constructor(options: SyntheticHostOptions = {}) {
    this.hostId = options.hostId ?? '00000000-0000-4000-8000-000000000001';
    this.bootId = options.bootId ?? '00000000-0000-4000-8000-0000000000b0';
    this.key = options.key ?? createSigningKey();
    this.run = u64FromBigInt(options.run ?? 0x1122334455667788n);
    this.wallOffset = options.wallOffset ?? Date.UTC(2026, 0, 1) * 1000;
    this.ktime = options.ktime ?? 3_600_000_000;
    this.step = options.step ?? 1000;
    this.#writer = new RawBatchWriter({ ...this, agentVersion: '0.1.0' });
  }

  /** Number of events since the last batch. */
  get count(): number {
    return this.#writer.count;
  }

  /** Loses `count` records of a kernel lane. `cause`: the collector's name for it, or '' if no counter has it. */
  drop(lane: number, count: number, cause = 'ring_full', cpu: number = this.cpu): void {
    const key = `${lane}/${cpu}`;
    this.#sequences.set(key, (this.#sequences.get(key) ?? 0) + count);
    if (cause === '') return;
    const drops = this.#drops.get(key) ?? {};
    drops[cause] = (drops[cause] ?? 0) + count;
    this.#drops.set(key, drops);
  }

  /** Returns the events so far as the collector sends them: framed and signed, with counters by lane and CPU. */
  batch(): Buffer {
    return this.#writer.finish({
      interestVersion: this.interestVersion,
      wallOffset: this.wallOffset,
      sentAt: 0,
      lanes: [...this.#sequences].map(([key, sequence]) => {
        const [lane = '0', cpu = '0'] = key.split('/');
        return { lane: Number(lane), cpu: Number(cpu), sequence, drops: this.#drops.get(key) ?? {} };
      }),
      keyId: this.key.keyId,
      sign: (bytes) => signBytes(this.key, bytes),
    });
  }

  protected add<P extends SyntheticProcess | undefined>(
    process: P,
    kind: KindName,
    body: object,
    placement: Placement,
  ): P {
    const { lane, cpu = this.cpu, late = this.late } = placement;
    const key = `${lane}/${cpu}`;
    const sequence = (this.#sequences.get(key) ?? 0) + 1;
    this.#sequences.set(key, sequence);
    const event = {
      lane,
      cpu,
      sequence,
      ktime: this.ktime,
      late,
      tgid: process?.tgid ?? 0,
      tid: process?.tgid ?? 0,
      start: process?.startBytes ?? U64_ZERO,
      cgroup: u64FromBigInt(process?.cgroup ?? 0n),
      execId: process?.execId ?? 0,
      body: { [`ringfence.${kind}`]: body },
    };
    this.ktime += this.step;
    this.append(event as unknown as Event);
    return process;
  }

  /** Adds an event unchanged, even if it is invalid. */
  append(event: Event): void {
    this.#writer.events.append(this.#events.toBuffer(event));
    this.#writer.count++;
  }
}
