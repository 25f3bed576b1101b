import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import type { ControlPlane } from '@ringfence/control';
import type { Coordination, Lease } from '@ringfence/coordination';
import type { ResponderMetrics } from '../metrics.ts';
import { leaseOf, OutageLog } from './common.ts';

export interface PresenceDeps {
  readonly control: ControlPlane;
  readonly coordination: Coordination;
  readonly owner: string;
  /** Life of a lease that is not renewed, ms */
  readonly ttlMs: number;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** Called when this responder has got the lease of a host. */
  readonly onAttached: () => void;
}

const INTERVAL_MS = 1000;
/** Concurrent requests to the coordination */
const MAX_CONCURRENT = 500;

interface Attached {
  lease: Lease | null;
  /** ms, monotonic */
  renewAt: number;
}

/** Holds a lease for each host that is attached to this process: renews it, and releases it when the host detaches. */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #hosts = new Map<string, Attached>();
  readonly #outage = new OutageLog();
  readonly #stop = new AbortController();
  readonly #listening: Disposable;
  readonly #renewing: Promise<void>;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#listening = deps.control.onAttach((hostId) => void this.#attach(hostId));
    this.#renewing = this.#renewAll();
  }

  get size(): number {
    return this.#hosts.size;
  }

  /** Releases all leases. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#listening[Symbol.dispose]();
    await this.#renewing;
    await this.#forEach([...this.#hosts.keys()], (hostId) => this.#release(hostId));
  }

  /** Takes over the lease: an agent has one stream, its newest. */
  async #attach(hostId: string): Promise<void> {
    const attached: Attached = { lease: null, renewAt: 0 };
    this.#hosts.set(hostId, attached);
    await this.#try(hostId, () => this.#acquire(hostId, attached, true));
  }

  async #renewAll(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#forEach([...this.#hosts], ([hostId, attached]) =>
        this.#try(hostId, () => this.#renew(hostId, attached)),
      );
      await sleep(INTERVAL_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  async #renew(hostId: string, attached: Attached): Promise<void> {
    const { control, coordination, ttlMs } = this.#deps;
    if (!control.attached(hostId)) return this.#release(hostId);
    if (performance.now() < attached.renewAt) return;
    if (attached.lease !== null && (await coordination.renew(attached.lease, ttlMs))) {
      attached.renewAt = performance.now() + ttlMs / 3;
      return;
    }
    // The lease was lost with Redis, or taken over by another responder, which then has the newer stream.
    attached.lease = null;
    await this.#acquire(hostId, attached, false);
  }

  async #acquire(hostId: string, attached: Attached, takeOver: boolean): Promise<void> {
    const { coordination, owner, ttlMs, onAttached } = this.#deps;
    attached.lease = await coordination.acquire(leaseOf(hostId), owner, ttlMs, takeOver);
    if (attached.lease === null) return;
    attached.renewAt = performance.now() + ttlMs / 3;
    onAttached();
  }

  async #release(hostId: string): Promise<void> {
    const lease = this.#hosts.get(hostId)?.lease;
    this.#hosts.delete(hostId);
    if (lease != null) await this.#try(hostId, () => this.#deps.coordination.release(lease));
  }

  /** A failure is retried in the next round; a lease that could not be released expires. */
  async #try(hostId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#outage.succeed();
    } catch (err) {
      this.#deps.metrics.failed('presence');
      this.#outage.fail(() =>
        this.#deps.log.warn(
          { host: hostId, err },
          'the lease of an attached agent could not be updated; it is retried',
        ),
      );
    }
  }

  async #forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    for (let i = 0; i < items.length; i += MAX_CONCURRENT)
      await Promise.all(items.slice(i, i + MAX_CONCURRENT).map(work));
  }
}
