import { z } from 'zod';
import { SinkRefusedError, SinkUnavailableError } from '../../errors.ts';
import { readAnswer } from '../../http/answer.ts';
import { type HttpClient, oneLine } from '../../http/http-client.ts';
import type { Portion } from '../../http/portions.ts';
import type { Rejection } from '../../sink.ts';

interface Outcome {
  readonly status: number;
  readonly error?: { readonly type: string; readonly reason?: string | null | undefined } | undefined;
}

const outcome: z.ZodType<Outcome> = z.object({
  status: z.int(),
  error: z.object({ type: z.string(), reason: z.string().nullish() }).optional(),
});
const outcomes = z.object({ items: z.array(z.object({ create: outcome })) });

/** The answer about documents that were stored is left out, except for their status. */
const FILTER = 'filter_path=items.*.status,items.*.error.type,items.*.error.reason';

/** Faults of the cluster with the status of a bad document. By type only: the reason may quote the document. */
const CLUSTER_ERRORS: ReadonlySet<string> = new Set([
  'index_closed_exception',
  'index_not_found_exception',
  'invalid_index_name_exception',
  'security_exception',
  'validation_exception',
]);

const HINTS: Readonly<Record<number, string>> = {
  401: 'check the API key or password',
  403: 'the credentials need create_doc and auto_configure for the index, which must not be read-only',
  404: 'create the index or its template',
};

export interface BulkTarget {
  readonly sink: string;
  readonly client: HttpClient;
  readonly pipeline?: string | undefined;
}

/**
 * Creates documents, and returns those that the cluster refuses for good. Throws SinkUnavailableError when one could
 * not be stored for now: those that were stored are found by their ids the next time.
 */
export async function bulk(
  { sink, client, pipeline }: BulkTarget,
  { items, texts }: Portion,
  signal: AbortSignal,
): Promise<Rejection[]> {
  const through = pipeline === undefined ? '' : `&pipeline=${encodeURIComponent(pipeline)}`;
  const answer = await client.send({ path: `/_bulk?${FILTER}${through}`, body: texts.join(''), signal });
  const { items: results } = readAnswer(sink, answer, outcomes);
  if (results.length !== items.length)
    throw new SinkUnavailableError(sink, `the cluster answered for ${results.length} of ${items.length} documents`);
  return results.flatMap(({ create: { status, error } }, i) => {
    if (status < 300 || status === 409) return [];
    const reason = `${status} ${oneLine(`${error?.type}: ${error?.reason ?? ''}`)}`;
    if (status !== 400 || CLUSTER_ERRORS.has(error?.type ?? '')) {
      const hint = HINTS[status] === undefined ? '' : `; ${HINTS[status]}`;
      throw new SinkUnavailableError(sink, `the cluster answered ${reason}${hint}`);
    }
    return [{ item: items[i]!, error: new SinkRefusedError(sink, reason) }];
  });
}
