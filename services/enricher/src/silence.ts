import { EventBatchWriter, LANE, type SigningKey } from '@ringfence/wire';
import type { LastTick } from './state/boot.ts';
import { ownEvent } from './steps/own-event.ts';

/** A host as memory has it: which boot was heard last, and its last tick. */
export interface HeardHost {
  readonly hostId: string;
  readonly bootId: string;
  /** µs to add to a ktime to get the wall clock */
  readonly wallOffset: number;
  readonly last: LastTick;
}

/** What a host's silence is told with. */
export interface SilenceRecord {
  readonly hostId: string;
  /** framed EventBatch */
  readonly value: Buffer;
}

interface Watched {
  last: LastTick;
  /** ms, performance.now(): when it came */
  heardAt: number;
  /** the silence that was told, until it ends */
  told: HeardHost | undefined;
}

const SILENT = 1;
const HEARD = 2;

/**
 * Finds hosts whose agents should tick and don't. The one timer that runs on a clock. What it says has its identity from the last tick: said again, by this member after a
 * restart or by the next one, it is the same event.
 */
export class SilenceWatch {
  readonly #afterMs: number;
  readonly #out = new EventBatchWriter();
  readonly #key: SigningKey | null;
  readonly #hosts = new Map<string, Watched>();
  /** nobody is judged by a silence that began before it: then it was we who did not listen */
  #floor = performance.now();

  constructor(afterMs: number, key: SigningKey | null) {
    this.#afterMs = afterMs;
    this.#key = key;
  }

  /** Until then we have not heard all that there is to hear. */
  deaf(until: number): void {
    this.#floor = Math.max(this.#floor, until);
  }

  /** Whether a host that fell silent could be told by now: all has been heard for long enough. */
  hears(now: number): boolean {
    return now - this.#floor >= this.#afterMs;
  }

  /** What is to be told of the hosts whose partitions are ours. */
  look(hosts: Iterable<HeardHost>, now: number): readonly SilenceRecord[] {
    const found: SilenceRecord[] = [];
    const ours = new Set<string>();
    for (const host of hosts) {
      ours.add(host.hostId);
      const record = this.#judge(host, now);
      if (record !== undefined) found.push({ hostId: host.hostId, value: record });
    }
    for (const hostId of this.#hosts.keys()) if (!ours.has(hostId)) this.#hosts.delete(hostId);
    return found;
  }

  #judge(host: HeardHost, now: number): Buffer | undefined {
    const { hostId, last } = host;
    let watched = this.#hosts.get(hostId);
    if (watched === undefined) {
      watched = { last, heardAt: now, told: undefined };
      this.#hosts.set(hostId, watched);
    }
    if (watched.last.run !== last.run || watched.last.sequence !== last.sequence) {
      const { told } = watched;
      Object.assign(watched, { last, heardAt: now, told: undefined });
      return told === undefined ? undefined : this.#record(told, HEARD, last.ktime);
    }
    if (last.left || watched.told !== undefined) return undefined;
    if (now - Math.max(watched.heardAt, this.#floor) < this.#afterMs) return undefined;
    watched.told = host;
    return this.#record(host, SILENT, last.ktime + this.#afterMs * 1000);
  }

  /** Two numbers for each tick: that nothing came after it, and that something did. */
  #record({ hostId, bootId, wallOffset, last }: HeardHost, operation: number, ktime: number): Buffer {
    const sequence = 2 * last.sequence - 2 + operation;
    const body = { 'ringfence.Silence': { operation, lastTick: last.ktime } };
    const bytes = ownEvent({ lane: LANE.silence, sequence, ktime, body });
    this.#out.add(-1, -1, -1, -1, '', bytes, 0, bytes.length);
    const at = { wallOffset, sentAt: ktime + wallOffset, receivedAt: ktime + wallOffset };
    const nothing = { lanes: [], containers: [], peers: [], processes: [] };
    return this.#out.finish({ hostId, bootId, run: Buffer.from(last.run, 'hex'), ...at, ...nothing }, this.#key);
  }
}
