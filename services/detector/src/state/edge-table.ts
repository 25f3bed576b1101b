import type { StateEntry } from '@ringfence/bus';
import { DetectorStateError } from '../errors.ts';
import { Remembered } from './remembered.ts';
import { assertShape } from './shape.ts';

export const EDGE_STORE = 'ringfence.state.detector-edges';

/** How long a sighting waits for the other end's chain, µs of the bus's clock: an attack may rest between two hosts. */
const KEPT_US = 26 * 3_600_000_000;
const MAX_EDGES = 100_000;
/** Ends of one edge: chains that it was seen by. */
const MAX_SIGHTINGS = 16;
/** Hosts counted: enough to know that they are many. */
const MAX_HOSTS = 16;

export interface Sighting {
  /** empty: no chain, a host that knows the key */
  readonly chainId: string;
  readonly hostId: string;
  readonly openedAt: number;
  readonly end: string;
  /** µs since the epoch, by the host's clock */
  readonly at: number;
}

export interface EdgeMemory {
  readonly sightings: readonly Sighting[];
  readonly hosts: readonly string[];
  /** µs since the epoch, by the bus's clock, of the last sighting */
  readonly at: number;
}

const SHAPE = {
  ordinal: 'number',
  value: {
    sightings: [{ chainId: 'string', hostId: 'string', openedAt: 'number', end: 'string', at: 'number' }],
    hosts: ['string'],
    at: 'number',
  },
} as const;

/** Who has seen which edge, for as long as the other end may still come. */
export class EdgeTable {
  readonly #edges = new Remembered<EdgeMemory>(MAX_EDGES);

  get(edge: string): EdgeMemory | undefined {
    return this.#edges.get(edge);
  }

  /** How many edges had their time, or had to make room. */
  see(edge: string, sighting: Sighting, now: number): number {
    const { sightings = [], hosts = [] } = this.#edges.get(edge) ?? {};
    const { chainId, hostId, end } = sighting;
    const others = sightings.filter((one) => one.chainId !== chainId || one.hostId !== hostId || one.end !== end);
    const all = chainId === '' ? sightings : [...others, sighting].slice(-MAX_SIGHTINGS);
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

  drain(): [edge: string, entry: unknown | null][] {
    return this.#edges.drain();
  }

  /** Throws DetectorStateError. */
  async restore(entries: AsyncIterable<StateEntry>): Promise<void> {
    const found: [string, never][] = [];
    for await (const { key, value } of entries) {
      try {
        const parsed: unknown = JSON.parse(Buffer.from(value).toString('utf8'));
        assertShape(parsed, SHAPE);
        found.push([key, parsed as never]);
      } catch (cause) {
        throw new DetectorStateError(key, cause);
      }
    }
    this.#edges.restore(found);
  }
}
