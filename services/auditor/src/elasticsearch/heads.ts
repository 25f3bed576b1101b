import type { AuditKind } from '@ringfence/wire';
import { GENESIS } from '../chain.ts';
import type { SourcePosition } from '../sink.ts';
import type { Put } from './bulk.ts';
import type { Cluster } from './cluster.ts';
import { ClusterUnavailableError } from './errors.ts';
import type { IndexNames } from './options.ts';

const MAX_REASON_CHARS = 300;

/** Head of a chain. */
export interface ChainState {
  seq: number;
  hash: Buffer;
  /** Source offset of the last record */
  offset: number;
}

/**
 * State of a source partition: the head of each of its chains, and the offset after the last stored record. It is
 * written after each batch and read before each batch, so that a new owner of the partition continues where the
 * previous one stopped.
 */
export interface PartitionHead {
  readonly topic: string;
  readonly partition: number;
  /** Undefined when nothing was stored yet */
  next: number | undefined;
  readonly chains: Map<AuditKind, ChainState>;
}

export interface HeadSource {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
  readonly chains: Readonly<Record<string, { readonly seq: number; readonly hash: string; readonly offset: number }>>;
}

export const headId = ({ topic, partition }: Pick<SourcePosition, 'topic' | 'partition'>): string =>
  `${topic}/${partition}`;

/** Number of records in all chains: it grows with each stored record and never shrinks. */
export function versionOf(head: PartitionHead): number {
  let sum = 0;
  for (const { seq } of head.chains.values()) sum += seq;
  return sum;
}

/**
 * Returns the current heads by id. A read by id sees unrefreshed writes too. Rejects with ClusterUnavailableError when
 * a head cannot be read, as shortly after the cluster's start: the chains of a head mistaken for missing would restart.
 */
export async function loadHeads(
  cluster: Cluster,
  { heads }: IndexNames,
  positions: readonly SourcePosition[],
): Promise<Map<string, PartitionHead>> {
  const ids = positions.map(headId);
  const { body } = await cluster.request<{
    docs: readonly { _id: string; found?: boolean; error?: unknown; _source?: HeadSource }[];
  }>('POST', `/${heads}/_mget`, { body: { ids } });
  const unread = body.docs.find(({ error }) => error !== undefined);
  if (unread !== undefined)
    throw new ClusterUnavailableError(
      `head of ${unread._id}`,
      503,
      JSON.stringify(unread.error).slice(0, MAX_REASON_CHARS),
    );
  const loaded = new Map(body.docs.map(({ _id, _source }) => [_id, _source]));
  return new Map(positions.map((position) => [headId(position), headOf(position, loaded.get(headId(position)))]));
}

export function headOf(
  { topic, partition }: Pick<SourcePosition, 'topic' | 'partition'>,
  source: HeadSource | undefined,
): PartitionHead {
  const chains = Object.entries(source?.chains ?? {}).map(([kind, { seq, hash, offset }]): [AuditKind, ChainState] => [
    kind as AuditKind,
    { seq, hash: Buffer.from(hash, 'hex'), offset },
  ]);
  return { topic, partition, next: source?.next, chains: new Map(chains) };
}

export function chainOf(head: PartitionHead, kind: AuditKind): ChainState {
  let chain = head.chains.get(kind);
  if (chain === undefined) {
    chain = { seq: 0, hash: GENESIS, offset: -1 };
    head.chains.set(kind, chain);
  }
  return chain;
}

/** A previous owner that does not know yet that it lost the partition cannot set a head back: its version is lower. */
export function headPut({ heads }: IndexNames, head: PartitionHead): Put {
  const { topic, partition, next = 0, chains } = head;
  const entries = Array.from(chains, ([kind, { seq, hash, offset }]) => [
    kind,
    { seq, hash: hash.toString('hex'), offset },
  ]);
  const document = { topic, partition, next, updated: new Date().toISOString(), chains: Object.fromEntries(entries) };
  // Versions start at 1, also for a head without chains.
  return { index: heads, id: headId(head), version: 1 + versionOf(head), document };
}
