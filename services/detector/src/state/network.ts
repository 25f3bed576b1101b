import type { Acceptor, Caller, EdgeEnd } from './edge-ends.ts';
import { Remembered } from './remembered.ts';

export interface HostNames {
  readonly hostname: string;
  readonly addresses: readonly string[];
}

const MAX_ACCEPTORS = 256;
const MAX_SESSIONS = 2048;
const MAX_CALLERS = 2048;
const MAX_KEYS = 1024;

/**
 * Connections of a host, remembered because a later chain may need them. Bounded; the entry that was set longest ago is
 * evicted first.
 */
export class Network {
  /** As the agent reported them; empty: not yet */
  hostname = '';
  addresses: readonly string[] = [];
  /** By entity id of the process that accepts */
  readonly acceptors: Remembered<Acceptor> = new Remembered(MAX_ACCEPTORS);
  /** The connections or keys that a process was started for, by its entity id; they caused everything below it */
  readonly sessions: Remembered<readonly EdgeEnd[]> = new Remembered(MAX_SESSIONS);
  /** By entity id of the process that connects */
  readonly callers: Remembered<Caller> = new Remembered(MAX_CALLERS);
  /** When the host's use of a key was last published, µs since the epoch, by fingerprint */
  readonly keys: Remembered<number> = new Remembered(MAX_KEYS);
  /** Entity ids of callers by each process of their lineage */
  readonly #below = new Map<string, Set<string>>();

  setCaller(entityId: string, caller: Caller): void {
    const known = this.callers.get(entityId);
    if (known === undefined) this.#index(entityId, caller);
    const evicted = this.callers.set(entityId, known === undefined ? caller : { ...caller, lineage: known.lineage });
    if (evicted !== undefined) this.#unindex(...evicted);
  }

  /** Yields the callers that are `entityId` or descend from it. */
  *callersBelow(entityId: string): Generator<Caller, void, undefined> {
    for (const id of this.#below.get(entityId) ?? []) {
      const caller = this.callers.get(id);
      if (caller !== undefined) yield caller;
    }
  }

  get evicted(): number {
    return this.acceptors.evicted + this.sessions.evicted + this.callers.evicted + this.keys.evicted;
  }

  /** Builds the index after `callers` was restored. */
  reindex(): void {
    for (const [entityId, caller] of this.callers.entries()) this.#index(entityId, caller);
  }

  #index(entityId: string, { lineage }: Caller): void {
    for (const id of lineage) {
      const below = this.#below.get(id) ?? new Set();
      this.#below.set(id, below.add(entityId));
    }
  }

  #unindex(entityId: string, { lineage }: Caller): void {
    for (const id of lineage) {
      const below = this.#below.get(id);
      below?.delete(entityId);
      if (below?.size === 0) this.#below.delete(id);
    }
  }
}
