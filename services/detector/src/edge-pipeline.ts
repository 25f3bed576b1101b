import type { Effect, InRecord, OutRecord, StateEntry } from '@ringfence/bus';
import type { Handler } from '@ringfence/service-kit';
import { type ChainRef, type Edge, encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import { sharedEdgeReason } from './incident/reasons.ts';
import type { DetectorStats } from './metrics.ts';
import { opensBefore, WITHOUT_CHAIN } from './state/chain.ts';
import { EDGE_STORE, type EdgeMemory, EdgeTable, type Sighting } from './state/edge-table.ts';
import { createCheckEdge } from './steps/check.ts';
import { createVerifyStep, type Trust } from './steps/verify.ts';

/**
 * Clocks of two hosts may differ by this much, µs. Two ends are one connection if it began within this time at both;
 * later its ports may be used again.
 */
const CONNECTION_TOLERANCE_US = 15 * 60_000_000;
/** Time between two uses of a key that make one attack, µs. */
const KEY_TOLERANCE_US = 24 * 3_600_000_000;
/** A key that more hosts use is an administrator's, and joins none of them. */
const MAX_KEY_HOSTS = 4;

export interface EdgePipelineDeps {
  readonly key?: SigningKey | null;
  readonly trusted?: Trust | undefined;
  readonly keyGraceMs?: number;
  readonly partition?: number;
  readonly stats: DetectorStats;
}

export interface EdgePipeline extends Handler {
  handle(records: readonly InRecord[]): Effect;
  ahead(records: readonly InRecord[]): Promise<void>;
  restore(entries: AsyncIterable<StateEntry>): Promise<void>;
}

/** The second stage, by edge: sends a Join for two chains of different hosts that see the same edge. */
export function createEdgePipeline(deps: EdgePipelineDeps): EdgePipeline {
  const { key = null, stats, partition = 0 } = deps;
  const verify = createVerifyStep(deps.trusted, deps.keyGraceMs ?? 0, stats);
  const check = createCheckEdge(verify);
  const table = new EdgeTable();

  function match(edge: Edge, record: InRecord): OutRecord[] {
    const known = table.get(edge.edge) ?? { sightings: [], hosts: [], at: 0 };
    const { chainId, hostId, openedAt, end, at } = edge;
    const sighting: Sighting = { chainId, hostId, openedAt, end, at };
    const matching = known.sightings.filter((candidate) => isSameAttack(edge, candidate, known));
    stats.expiredEdges += table.see(edge.edge, sighting, record.timestamp);
    return matching.map((candidate) => joinOf(edge, sighting, candidate, key));
  }

  return {
    ahead: verify.ahead,
    handle(records) {
      const checked = records.map((record) => ({ record, edge: check(record) }));
      const outputs = checked.flatMap(({ record, edge }) => match(edge, record));
      stats.joinsSent += outputs.length;
      const offset = records.at(-1)?.offset ?? 0;
      const position = { offset, index: 0 };
      const state = table
        .drain()
        .map(([name, value]) => ({ store: EDGE_STORE, partition, key: name, value, position }));
      return { outputs, state };
    },
    restore: (entries) => table.restore(entries),
  };
}

function isSameAttack(edge: Edge, sighting: Sighting, { hosts }: EdgeMemory): boolean {
  if (edge.chainId === '' || sighting.chainId === '' || sighting.chainId === edge.chainId) return false;
  const apart = Math.abs(edge.at - sighting.at);
  // Two sources, or two destinations, are two connections: other networks use the same private addresses.
  if (edge.kind === 'connection') return edge.end !== sighting.end && apart <= CONNECTION_TOLERANCE_US;
  if (edge.kind !== 'key' || sighting.hostId === edge.hostId) return false;
  const all = new Set([...hosts, edge.hostId, sighting.hostId]);
  return all.size <= MAX_KEY_HOSTS && apart <= KEY_TOLERANCE_US;
}

const refOf = ({ chainId, hostId, openedAt }: Sighting): ChainRef => ({ chainId, hostId, openedAt });

function joinOf({ edge, kind, detail }: Edge, sighting: Sighting, known: Sighting, key: SigningKey | null): OutRecord {
  const [into, from] = opensBefore(sighting, known) ? [sighting, known] : [known, sighting];
  const cause = {
    edge,
    kind,
    why: '',
    at: Math.min(sighting.at, known.at),
    reason: sharedEdgeReason({ kind, detail }),
  };
  const join = { hostId: into.hostId, into: refOf(into), from: refOf(from), ...WITHOUT_CHAIN, ...cause };
  return { topic: TOPIC.joins, key: into.hostId, value: encodeSigned('Join', join, key) };
}
