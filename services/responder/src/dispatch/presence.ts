import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import type { ControlPlane } from '@ringfence/control';
import type { Coordination, Lease } from '@ringfence/coordination';
import type { ResponderMetrics } from '../metrics.ts';
import { Complaint } from './complaint.ts';
import { leaseOf } from './names.ts';

export interface PresenceDeps {
  readonly control: ControlPlane;
  readonly coordination: Coordination;
  readonly owner: string;
  /** how long a lease holds without being renewed, ms */
  readonly ttlMs: number;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** told when a host can be reached from here */
  readonly held: () => void;
}

const LOOK_MS = 1000;
/** Asked of the coordination side by side. */
const AT_A_TIME = 500;

interface Attached {
  lease: Lease | null;
  /** ms, monotonic */
  renewAt: number;
}

/** Says for each host attached here that it is here: a lease, renewed while it stays, given back when it goes. */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #hosts = new Map<string, Attached>();
  readonly #complaint = new Complaint();
  readonly #stop = new AbortController();
  readonly #listening: Disposable;
  readonly #beating: Promise<void>;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#listening = deps.control.onAttach((hostId) => void this.#attach(hostId));
    this.#beating = this.#beat();
  }

  get size(): number {
    return this.#hosts.size;
  }

  /** Gives every lease back. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#listening[Symbol.dispose]();
    await this.#beating;
    await this.#forEach([...this.#hosts.keys()], (hostId) => this.#leave(hostId));
  }

  /** An agent has one stream, its newest: whoever held it before holds it no more. */
  async #attach(hostId: string): Promise<void> {
    const attached: Attached = { lease: null, renewAt: 0 };
    this.#hosts.set(hostId, attached);
    await this.#try(hostId, () => this.#acquire(hostId, attached, true));
  }

  async #beat(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#forEach([...this.#hosts], ([hostId, attached]) =>
        this.#try(hostId, () => this.#look(hostId, attached)),
      );
      await sleep(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  async #look(hostId: string, attached: Attached): Promise<void> {
    const { control, coordination, ttlMs } = this.#deps;
    if (!control.attached(hostId)) return this.#leave(hostId);
    if (performance.now() < attached.renewAt) return;
    if (attached.lease !== null && (await coordination.renew(attached.lease, ttlMs))) {
      attached.renewAt = performance.now() + ttlMs / 3;
      return;
    }
    // Lost: flushed away, or another responder's by now, who has then the newer stream.
    attached.lease = null;
    await this.#acquire(hostId, attached, false);
  }

  async #acquire(hostId: string, attached: Attached, takeOver: boolean): Promise<void> {
    const { coordination, owner, ttlMs, held } = this.#deps;
    attached.lease = await coordination.acquire(leaseOf(hostId), owner, ttlMs, takeOver);
    if (attached.lease === null) return;
    attached.renewAt = performance.now() + ttlMs / 3;
    held();
  }

  async #leave(hostId: string): Promise<void> {
    const lease = this.#hosts.get(hostId)?.lease;
    this.#hosts.delete(hostId);
    if (lease != null) await this.#try(hostId, () => this.#deps.coordination.release(lease));
  }

  /** What fails is tried again at the next look; a lease that could not be given back runs out. */
  async #try(hostId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#complaint.well();
    } catch (err) {
      this.#deps.metrics.failed('presence');
      this.#complaint.fail(() =>
        this.#deps.log.warn({ host: hostId, err }, 'it can not be said where agents are attached; it is said again'),
      );
    }
  }

  async #forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    for (let i = 0; i < items.length; i += AT_A_TIME) await Promise.all(items.slice(i, i + AT_A_TIME).map(work));
  }
}
