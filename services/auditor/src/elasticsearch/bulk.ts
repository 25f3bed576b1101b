import { type Cluster, errorText, type ItemError, isTransient } from './cluster.ts';
import { ClusterUnavailableError } from './errors.ts';

/** A document to write. */
export interface Put {
  /** Data stream or index */
  readonly index: string;
  readonly id: string;
  /** External version, which an older version does not replace; absent: the document is created but never replaced */
  readonly version?: number;
  readonly document: object;
}

/** Result for a document. `exists`: the id, or a newer version, already exists. */
export type Outcome =
  | { readonly outcome: 'stored' }
  | { readonly outcome: 'exists'; readonly index: string }
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

interface BulkResponse {
  readonly errors: boolean;
  readonly items: readonly Readonly<Record<string, BulkItem>>[];
}

interface Chunk {
  readonly first: number;
  readonly count: number;
  readonly lines: string;
}

/**
 * Writes documents durably and returns their outcomes in order. Rejects with ClusterUnavailableError (retriable) when a
 * document could not be written now; the others may have been written, and the same documents may be written again.
 */
export async function bulk(cluster: Cluster, puts: readonly Put[], limits: BulkLimits): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(puts.length);
  const chunks = chunksOf(puts, limits.bulkBytes);
  const refused: BulkItem[] = [];
  const worker = async (): Promise<void> => {
    for (let chunk = chunks.next(); chunk.done !== true; chunk = chunks.next())
      refused.push(...(await send(cluster, chunk.value, outcomes)));
  };
  // Wait for all workers before reporting an error, so that no request is in flight when the batch is retried.
  const results = await Promise.allSettled(Array.from({ length: limits.bulkConcurrency }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const [first] = refused;
  if (first !== undefined) {
    const reason = `${refused.length} of ${puts.length} documents, ${errorText(first.error ?? {})}`;
    throw new ClusterUnavailableError(`bulk into ${first._index}`, first.status, reason);
  }
  return outcomes;
}

async function send(cluster: Cluster, chunk: Chunk, outcomes: Outcome[]): Promise<BulkItem[]> {
  const { body } = await cluster.request<BulkResponse>('POST', '/_bulk', { lines: chunk.lines });
  const refused: BulkItem[] = [];
  for (let i = 0; i < chunk.count; i++) {
    const item = Object.values(body.items[i] ?? {})[0];
    const outcome = item === undefined ? undefined : outcomeOf(item);
    if (outcome !== undefined) outcomes[chunk.first + i] = outcome;
    else
      refused.push(
        item ?? { _index: '?', status: 500, error: { reason: 'the response has no item for this document' } },
      );
  }
  return refused;
}

/**
 * Errors about the cluster, not the document: too many shards, a missing template, an index that is deleted or closed.
 * Matched at the start only, because the rest may quote the document.
 */
const CLUSTER_ERROR = /^(?:(?:validation|index_closed)_exception:|[a-z_]+: no matching index template)/;

/** Returns undefined when the document may be accepted later. */
function outcomeOf({ _index, status, error }: BulkItem): Outcome | undefined {
  if (error === undefined && status < 300) return { outcome: 'stored' };
  if (status === 409) return { outcome: 'exists', index: _index };
  const reason = errorText(error ?? {});
  const isClusterError = status === 404 || CLUSTER_ERROR.test(reason);
  if (isTransient(status) || isClusterError) return undefined;
  return { outcome: 'rejected', reason: reason.slice(0, 1000) };
}

function* chunksOf(puts: readonly Put[], bulkBytes: number): Generator<Chunk, undefined, undefined> {
  let lines: string[] = [];
  let bytes = 0;
  let first = 0;
  for (const [index, put] of puts.entries()) {
    const text = linesOf(put);
    if (lines.length > 0 && bytes + text.length > bulkBytes) {
      yield { first, count: lines.length, lines: lines.join('') };
      lines = [];
      bytes = 0;
      first = index;
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
