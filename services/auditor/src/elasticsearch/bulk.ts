import { type Cluster, errorText, type ItemError, isPassing } from './cluster.ts';
import { ClusterUnavailableError } from './errors.ts';

/** A document to be written. */
export interface Put {
  /** stream or index */
  readonly index: string;
  readonly id: string;
  /** external: an older version changes nothing. Absent: created, and never replaced */
  readonly version?: number;
  readonly document: object;
}

/** What became of a document. `there`: one of this id, or a newer version, was there already. */
export type Outcome =
  | { readonly outcome: 'stored' }
  | { readonly outcome: 'there'; readonly index: string }
  | { readonly outcome: 'rejected'; readonly reason: string };

export interface BulkLimits {
  readonly bulkBytes: number;
  readonly bulkConcurrency: number;
}

interface BulkItem {
  readonly _index: string;
  readonly status: number;
  readonly error?: ItemError;
}

interface BulkAnswer {
  readonly errors: boolean;
  readonly items: readonly Readonly<Record<string, BulkItem>>[];
}

interface Chunk {
  readonly first: number;
  readonly count: number;
  readonly lines: string;
}

/**
 * Writes documents, durable when it resolves; the outcome of each in the order given. Rejects with ClusterUnavailableError (retriable) when one could not be
 * taken for now: the others may have been, and the same documents may be given again.
 */
export async function bulk(cluster: Cluster, puts: readonly Put[], limits: BulkLimits): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(puts.length);
  const chunks = chunksOf(puts, limits.bulkBytes);
  const refused: BulkItem[] = [];
  const worker = async (): Promise<void> => {
    for (let chunk = chunks.next(); chunk.done !== true; chunk = chunks.next())
      refused.push(...(await send(cluster, chunk.value, outcomes)));
  };
  // All end before one of them is heard, so that nothing is under way when the batch comes again.
  const ended = await Promise.allSettled(Array.from({ length: limits.bulkConcurrency }, worker));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  const [first] = refused;
  if (first !== undefined) {
    const reason = `${refused.length} of ${puts.length} documents, ${errorText(first.error ?? {})}`;
    throw new ClusterUnavailableError(`bulk into ${first._index}`, first.status, reason);
  }
  return outcomes;
}

async function send(cluster: Cluster, chunk: Chunk, outcomes: Outcome[]): Promise<BulkItem[]> {
  const { body } = await cluster.request<BulkAnswer>('POST', '/_bulk', { lines: chunk.lines });
  const refused: BulkItem[] = [];
  for (let i = 0; i < chunk.count; i++) {
    const item = Object.values(body.items[i] ?? {})[0];
    const outcome = item === undefined ? undefined : outcomeOf(item);
    if (outcome !== undefined) outcomes[chunk.first + i] = outcome;
    else refused.push(item ?? { _index: '?', status: 500, error: { reason: 'the answer has no item for it' } });
  }
  return refused;
}

/**
 * These speak of the cluster, not of the document: too many shards, no template yet, an index that is being deleted or closed. At their beginning alone: what
 * follows may quote the document, whose words are anybody's.
 */
const OF_CLUSTER = /^(?:(?:validation|index_closed)_exception:|[a-z_]+: no matching index template)/;

/** undefined: it may be taken later. */
function outcomeOf({ _index, status, error }: BulkItem): Outcome | undefined {
  if (error === undefined && status < 300) return { outcome: 'stored' };
  if (status === 409) return { outcome: 'there', index: _index };
  const reason = errorText(error ?? {});
  const isOfCluster = status === 404 || OF_CLUSTER.test(reason);
  if (isPassing(status) || isOfCluster) return undefined;
  return { outcome: 'rejected', reason: reason.slice(0, 1000) };
}

function* chunksOf(puts: readonly Put[], bulkBytes: number): Generator<Chunk, undefined, undefined> {
  let lines: string[] = [];
  let bytes = 0;
  let first = 0;
  for (const [at, put] of puts.entries()) {
    const text = linesOf(put);
    if (lines.length > 0 && bytes + text.length > bulkBytes) {
      yield { first, count: lines.length, lines: lines.join('') };
      lines = [];
      bytes = 0;
      first = at;
    }
    lines.push(text);
    bytes += text.length;
  }
  if (lines.length > 0) yield { first, count: lines.length, lines: lines.join('') };
  return undefined;
}

function linesOf({ index, id, version, document }: Put): string {
  const action =
    version === undefined
      ? { create: { _index: index, _id: id } }
      : { index: { _index: index, _id: id, version, version_type: 'external_gte' } };
  return `${JSON.stringify(action)}\n${JSON.stringify(document)}\n`;
}
