import type { AuditKind } from '@ringfence/wire';
import { GENESIS } from '../chain.ts';
import type { SourcePosition } from '../sink.ts';
import type { Put } from './bulk.ts';
import type { Cluster } from './cluster.ts';
import { ClusterUnavailableError } from './errors.ts';
import type { Names } from './options.ts';

const REASON_MAX = 300;

/** How far a chain of a source partition is written. */
export interface ChainState {
  seq: number;
  hash: Buffer;
  /** of its last record */
  offset: number;
}

/**
 * What is known of a source partition: the head of each of its chains, and the offset after the last record stored. It is written when the records of a
 * batch are, and read at each batch: so whoever is given the partition goes on where the last owner stopped.
 */
export interface PartitionHead {
  readonly topic: string;
  readonly partition: number;
  /** undefined: nothing was ever stored of it */
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

/** Records in all chains: grows with each that is stored, and never shrinks. */
export function versionOf(head: PartitionHead): number {
  let sum = 0;
  for (const { seq } of head.chains.values()) sum += seq;
  return sum;
}

/**
 * Heads by id, as they are now: a read by id sees what was written, refreshed or not. Rejects with ClusterUnavailableError when one can't be read, as for a
 * moment after the cluster's start: taken for one that isn't there, its chains would begin anew.
 */
export async function loadHeads(
  cluster: Cluster,
  { heads }: Names,
  positions: readonly SourcePosition[],
): Promise<Map<string, PartitionHead>> {
  const ids = positions.map(headId);
  const { body } = await cluster.request<{
    docs: readonly { _id: string; found?: boolean; error?: unknown; _source?: HeadSource }[];
  }>('POST', `/${heads}/_mget`, { body: { ids } });
  const unread = body.docs.find(({ error }) => error !== undefined);
  if (unread !== undefined)
    throw new ClusterUnavailableError(`head of ${unread._id}`, 503, JSON.stringify(unread.error).slice(0, REASON_MAX));
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

/** An owner that lost the partition and doesn't know it yet can't set a head back: its version is lower. */
export function headPut({ heads }: Names, head: PartitionHead): Put {
  const { topic, partition, next = 0, chains } = head;
  const entries = Array.from(chains, ([kind, { seq, hash, offset }]) => [
    kind,
    { seq, hash: hash.toString('hex'), offset },
  ]);
  const document = { topic, partition, next, updated: new Date().toISOString(), chains: Object.fromEntries(entries) };
  // From 1: a head of nothing but positions has a version too.
  return { index: heads, id: headId(head), version: 1 + versionOf(head), document };
}
