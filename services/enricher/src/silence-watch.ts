import { EventBatchWriter, LANE, type SigningKey } from '@ringfence/wire';
import type { LastTick } from './state/boot.ts';
import { encodeEvent } from './steps/encode-event.ts';

/** The latest boot of a host that has sent a tick. */
export interface TickingHost {
  readonly hostId: string;
  readonly bootId: string;
  /** µs to add to a ktime to get the wall clock */
  readonly wallOffset: number;
  readonly last: LastTick;
}

/** The event that reports a host's silence, or its end. */
export interface SilenceRecord {
  readonly hostId: string;
  /** framed EventBatch */
  readonly value: Buffer;
}

interface Watched {
  last: LastTick;
  /** arrival of the last tick: ms, performance.now() */
  arrivedAt: number;
  /** the host as it was when its silence was reported; undefined: not silent */
  reported: TickingHost | undefined;
}

/** Values of `Silence.operation`. */
const SILENT = 1;
const RESUMED = 2;

/**
 * Finds hosts whose agents should tick and don't: the one timer that runs on a clock. A report's identity derives from
 * the last tick, so that the same silence is the same event again after a restart or a rebalance.
 */
export class SilenceWatch {
  readonly #afterMs: number;
  readonly #out = new EventBatchWriter();
  readonly #key: SigningKey | null;
  readonly #hosts = new Map<string, Watched>();
  /** Silence before this time proves nothing: the enricher itself was not receiving. ms, performance.now() */
  #receivingSince = performance.now();

  constructor(afterMs: number, key: SigningKey | null) {
    this.#afterMs = afterMs;
    this.#key = key;
  }

  /** Ignores silence before `until`, because ticks may be missing. ms, performance.now() */
  suspendUntil(until: number): void {
    this.#receivingSince = Math.max(this.#receivingSince, until);
  }

  /** Returns whether the enricher has received everything for long enough to find a silent host. */
  canJudge(now: number): boolean {
    return now - this.#receivingSince >= this.#afterMs;
  }

  /** Returns new reports. `hosts`: all hosts of the assigned partitions. */
  check(hosts: Iterable<TickingHost>, now: number): readonly SilenceRecord[] {
    const found: SilenceRecord[] = [];
    const assigned = new Set<string>();
    for (const host of hosts) {
      assigned.add(host.hostId);
      const value = this.#judge(host, now);
      if (value !== undefined) found.push({ hostId: host.hostId, value });
    }
    for (const hostId of this.#hosts.keys()) if (!assigned.has(hostId)) this.#hosts.delete(hostId);
    return found;
  }

  #judge(host: TickingHost, now: number): Buffer | undefined {
    const { hostId, last } = host;
    let watched = this.#hosts.get(hostId);
    if (watched === undefined) {
      watched = { last, arrivedAt: now, reported: undefined };
      this.#hosts.set(hostId, watched);
    }
    if (watched.last.run !== last.run || watched.last.sequence !== last.sequence) {
      const { reported } = watched;
      Object.assign(watched, { last, arrivedAt: now, reported: undefined });
      return reported === undefined ? undefined : this.#encode(reported, RESUMED, last.ktime);
    }
    if (last.isFinal || watched.reported !== undefined) return undefined;
    if (now - Math.max(watched.arrivedAt, this.#receivingSince) < this.#afterMs) return undefined;
    watched.reported = host;
    return this.#encode(host, SILENT, last.ktime + this.#afterMs * 1000);
  }

  /** Each tick has two sequence numbers: one for the silence after it, one for the end of that silence. */
  #encode({ hostId, bootId, wallOffset, last }: TickingHost, operation: number, ktime: number): Buffer {
    const sequence = 2 * last.sequence - 2 + operation;
    const body = { 'ringfence.Silence': { operation, lastTick: last.ktime } };
    const bytes = encodeEvent({ lane: LANE.silence, sequence, ktime, body });
    this.#out.add(-1, -1, -1, -1, '', bytes, 0, bytes.length);
    const at = { wallOffset, sentAt: ktime + wallOffset, receivedAt: ktime + wallOffset };
    const empty = { lanes: [], containers: [], peers: [], processes: [] };
    return this.#out.finish({ hostId, bootId, run: Buffer.from(last.run, 'hex'), ...at, ...empty }, this.#key);
  }
}
