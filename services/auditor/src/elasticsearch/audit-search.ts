import type { AuditKind } from '@ringfence/wire';
import type { ChainedRecord } from '../evidence.ts';
import { unpack } from '../packing.ts';
import type { Cluster } from './cluster.ts';
import { type AuditSource, chainedFields } from './documents/audit.ts';
import type { IndexNames } from './options.ts';

const PAGE = 100;
/** Maximum number of alerts, of commands and of results of an incident. */
const MAX_RELATED = 10_000;
export interface Hit<S> {
  readonly _id: string;
  readonly _source: S;
  readonly sort?: readonly unknown[];
}

export interface AuditDocument {
  readonly 'host.id'?: string;
  readonly ringfence: { readonly audit: AuditSource };
}

/** Largest payload of an entry: records of the bus are smaller. A document may name any size. */
const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;
/** Searches of the audit stream, in pages. */
export class AuditSearch {
  readonly #cluster: Cluster;
  readonly #names: IndexNames;

  constructor(cluster: Cluster, names: IndexNames) {
    this.#cluster = cluster;
    this.#names = names;
  }

  async find(kind: AuditKind, query: object): Promise<AuditDocument[]> {
    const filter = [{ term: { 'ringfence.audit.kind': kind } }, query];
    const sort = [{ 'ringfence.audit.timestamp': 'asc' }, { 'ringfence.audit.hash': 'asc' }];
    const found: AuditDocument[] = [];
    for await (const hits of this.pages<AuditDocument>(this.#names.audit, filter, sort)) {
      found.push(...hits.map(({ _source }) => _source));
      if (found.length >= MAX_RELATED) break;
    }
    return found;
  }

  async byIds(ids: readonly string[]): Promise<Map<string, AuditDocument>> {
    const found = new Map<string, AuditDocument>();
    for (let start = 0; start < Math.min(ids.length, MAX_RELATED); start += PAGE) {
      const values = ids.slice(start, start + PAGE);
      const hits = await this.#search<AuditDocument>(this.#names.audit, { size: PAGE, query: { ids: { values } } });
      for (const { _id, _source } of hits) found.set(_id, _source);
    }
    return found;
  }

  async *pages<S>(
    index: string,
    filter: readonly object[],
    sort: readonly object[],
  ): AsyncGenerator<readonly Hit<S>[]> {
    let after: readonly unknown[] | undefined;
    do {
      const body = { size: PAGE, query: { bool: { filter } }, sort, ...(after && { search_after: after }) };
      const hits: readonly Hit<S>[] = await this.#search<S>(index, body);
      if (hits.length > 0) yield hits;
      after = hits.length < PAGE ? undefined : hits.at(-1)?.sort;
    } while (after !== undefined);
  }

  async #search<S>(index: string, body: object): Promise<readonly Hit<S>[]> {
    const response = await this.#cluster.request<{ hits: { hits: readonly Hit<S>[] } }>('POST', `/${index}/_search`, {
      // The stream does not exist before the auditor's first start.
      query: { ignore_unavailable: true, allow_partial_search_results: false },
      body: { ...body, track_total_hits: false },
    });
    return response.body.hits.hits;
  }
}

export function chainedRecordOf(document: AuditDocument): ChainedRecord {
  const { audit } = document.ringfence;
  const hostId = document['host.id'] ?? '';
  const fields = { ...chainedFields(audit, hostId), payload: payloadOf(document) };
  return {
    ...fields,
    seq: audit.seq,
    prevHash: Buffer.from(audit.prev_hash, 'hex'),
    hash: Buffer.from(audit.hash, 'hex'),
  };
}

export function payloadOf({ ringfence: { audit } }: AuditDocument): Buffer {
  if (!(audit.size >= 0 && audit.size <= MAX_PAYLOAD_BYTES)) throw new RangeError(`a payload of ${audit.size} bytes`);
  return unpack(Buffer.from(audit.payload, 'base64'), audit.packed, audit.size);
}
