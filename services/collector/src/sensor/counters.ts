import type { BpfMap, Mapping } from '@ringfence/libbpf-ts';
import type { LaneCounters } from '@ringfence/schema';

/** enum rf_drop, as it is told downstream. */
export const DROP_CAUSES = ['ring_full', 'read_fault', 'self', 'unwatched', 'scratch', 'merged', 'owner'] as const;
const CPUS_MAX = 256;
const LANES = 2;

/** The sensor's sequence and loss counters, read where the kernel writes them. */
export class Counters implements Disposable {
  readonly #mapping: Mapping;
  readonly #words: BigUint64Array;
  readonly #stride: number;

  /** `map`: struct rf_counters by lane * 256 + cpu */
  constructor(map: Pick<BpfMap, 'memory' | 'info'>) {
    this.#mapping = map.memory({ writable: false });
    this.#words = new BigUint64Array(this.#mapping.buffer);
    this.#stride = map.info.valueSize / 8;
  }

  sequence(lane: number, cpu: number): number {
    return Number(this.#words[(lane * CPUS_MAX + cpu) * this.#stride]);
  }

  drops(lane: number, cpu: number, cause: number): number {
    return Number(this.#words[(lane * CPUS_MAX + cpu) * this.#stride + 1 + cause]);
  }

  /** Every lane and CPU that has counted anything. `extra` adds what user space dropped, by cause. */
  read(extra: (lane: number, cpu: number, drops: Record<string, number>) => void): LaneCounters[] {
    const out: LaneCounters[] = [];
    for (let lane = 0; lane < LANES; lane++) {
      for (let cpu = 0; cpu < CPUS_MAX; cpu++) {
        const drops: Record<string, number> = {};
        DROP_CAUSES.forEach((cause, index) => {
          const count = this.drops(lane, cpu, index);
          if (count > 0) drops[cause] = count;
        });
        extra(lane, cpu, drops);
        const sequence = this.sequence(lane, cpu);
        if (sequence > 0 || Object.keys(drops).length > 0) out.push({ lane, cpu, sequence, drops });
      }
    }
    return out;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}
