import type { StateEntry } from '@ringfence/bus';
import { encode, type StateEdge, type StateSighting } from '@ringfence/wire';
import { DetectorStateError } from '../errors.ts';
import { decodeState } from './codec.ts';
import { Remembered } from './remembered.ts';

export const EDGE_STORE = 'ringfence.state.detector-edges';

/** Time that a sighting waits for the other end's chain, µs of the bus's clock. An attack may pause between hosts. */
const KEPT_US = 26 * 3_600_000_000;
const MAX_EDGES = 100_000;
/** Ends of one edge that chains saw */
const MAX_SIGHTINGS = 16;
/** Hosts that are counted for an edge: enough to know that they are many */
const MAX_HOSTS = 16;

/** An end of the edge that a chain saw; without a chain id, a host that knows the key. */
export type Sighting = StateSighting;

export type EdgeMemory = Omit<StateEdge, 'ordinal'>;

/** The hosts and chains that saw an edge, for as long as its other end may still arrive. */
export class EdgeTable {
  readonly #edges = new Remembered<EdgeMemory>(MAX_EDGES);

  get(edge: string): EdgeMemory | undefined {
    return this.#edges.get(edge);
  }

  /** Returns how many edges expired or were evicted. */
  see(edge: string, sighting: Sighting, now: number): number {
    const { sightings = [], hosts = [] } = this.#edges.get(edge) ?? {};
    const { chainId, hostId, end } = sighting;
    const differing = sightings.filter(
      (seen) => seen.chainId !== chainId || seen.hostId !== hostId || seen.end !== end,
    );
    const all = chainId === '' ? sightings : [...differing, sighting].slice(-MAX_SIGHTINGS);
    const known = hosts.includes(hostId) || hosts.length >= MAX_HOSTS ? hosts : [...hosts, hostId];
    const evicted = this.#edges.set(edge, { sightings: all, hosts: known, at: now }) === undefined ? 0 : 1;
    return evicted + this.#expire(now);
  }

  #expire(now: number): number {
    let expired = 0;
    for (const [edge, { at }] of this.#edges.entries()) {
      if (at > now - KEPT_US) break;
      this.#edges.delete(edge);
      expired++;
    }
    return expired;
  }

  /** Returns the entries that changed since the last call, encoded; null for one that is gone. */
  drain(): [edge: string, bytes: Uint8Array | null][] {
    return this.#edges
      .drain()
      .map(([edge, entry]) => [edge, entry && encode('StateEdge', { ...entry.value, ordinal: entry.ordinal })]);
  }

  /** Throws DetectorStateError. */
  async restore(entries: AsyncIterable<StateEntry>): Promise<void> {
    const found: [edge: string, entry: { readonly value: EdgeMemory; readonly ordinal: number }][] = [];
    for await (const { key, value } of entries) {
      try {
        const { ordinal, ...edge } = decodeState('StateEdge', value);
        found.push([key, { value: edge, ordinal }]);
      } catch (cause) {
        throw new DetectorStateError(key, cause);
      }
    }
    this.#edges.restore(found);
  }
}
