import { Remembered } from './remembered.ts';
import type { Acceptor, Caller, Tie } from './ties.ts';

const MAX_ACCEPTORS = 256;
const MAX_SESSIONS = 2048;
const MAX_CALLERS = 2048;
const MAX_KEYS = 1024;

/** What is remembered of a host's connections until one of its chains may need it. Bounded; what was touched longest ago goes first. */
export class Network {
  /** what the host says of itself; empty: nothing yet */
  hostname = '';
  addresses: readonly string[] = [];
  /** by entity id of the process that accepts */
  readonly acceptors: Remembered<Acceptor> = new Remembered(MAX_ACCEPTORS);
  /** what a process was started for, by its entity id: everything below it was caused by that */
  readonly sessions: Remembered<readonly Tie[]> = new Remembered(MAX_SESSIONS);
  /** by entity id of the process that connects */
  readonly callers: Remembered<Caller> = new Remembered(MAX_CALLERS);
  /** µs since the epoch: when it was last said that a key was used here, by fingerprint */
  readonly keys: Remembered<number> = new Remembered(MAX_KEYS);
  /** callers by each of their lineage */
  readonly #below = new Map<string, Set<string>>();

  setCaller(entityId: string, caller: Caller): void {
    const known = this.callers.get(entityId);
    if (known === undefined) this.#index(entityId, caller);
    const gone = this.callers.set(entityId, known === undefined ? caller : { ...caller, lineage: known.lineage });
    if (gone !== undefined) this.#unindex(...gone);
  }

  /** Callers that are `entityId` or descend from it. */
  *callersBelow(entityId: string): Generator<Caller, void, undefined> {
    for (const id of this.#below.get(entityId) ?? []) {
      const caller = this.callers.get(id);
      if (caller !== undefined) yield caller;
    }
  }

  get evicted(): number {
    return this.acceptors.evicted + this.sessions.evicted + this.callers.evicted + this.keys.evicted;
  }

  /** After `callers` was restored. */
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
