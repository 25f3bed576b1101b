import type { Log } from '@ringfence/base';
import type { Bus, InRecord } from '@ringfence/bus';
import { createDelivery, type SinkCounts } from './delivery/deliver.ts';
import { topicsOf } from './delivery/sink-runner.ts';
import type { TrustedKeys } from './items/read-item.ts';
import { openSink, type SinkConfig } from './settings/load.ts';
import type { Tickets } from './sink.ts';

/** By the time at which the bus accepted the records, µs since the epoch; both ends are included. */
export interface ReplayRange {
  readonly from: number;
  readonly to: number;
}

export interface ReplayProgress extends Readonly<SinkCounts> {
  /** Reason of the last refusal; empty: none */
  readonly refusal: string;
}

export interface ReplayDeps {
  readonly bus: Bus;
  readonly config: SinkConfig;
  readonly trusted: TrustedKeys;
  readonly log: Log;
  readonly range: ReplayRange;
  readonly signal: AbortSignal;
}

/** A replay opens tickets of its own: those of the sink belong to its partitions. */
function ownTickets(): Tickets {
  const references = new Map<string, string>();
  return {
    get: (id) => references.get(id),
    set: (id, reference) => void references.set(id, reference),
    delete: (id) => void references.delete(id),
  };
}

/**
 * Sends the records of a range again, with the same ids, while the sink goes on at its own position. Yields the counts
 * after each batch. Rejects with the first error of the far side.
 */
export async function* replay(deps: ReplayDeps): AsyncGenerator<ReplayProgress, void, undefined> {
  const { bus, config, trusted, log, range, signal } = deps;
  const counts: SinkCounts = { sent: 0, skipped: 0, refused: 0 };
  const sink = openSink(config, log);
  const tickets = ownTickets();
  let refusal = '';
  try {
    const deliver = createDelivery({ config, sink, trusted, counts });
    for await (const batch of batchesOf(bus, config, range, signal)) {
      const refused = await deliver(batch, { signal, tickets });
      refusal = refused.at(-1)?.error.message ?? refusal;
      yield { ...counts, refusal };
    }
  } finally {
    await sink.close();
  }
}

async function* batchesOf(
  bus: Bus,
  config: SinkConfig,
  { from, to }: ReplayRange,
  signal: AbortSignal,
): AsyncGenerator<readonly InRecord[], void, undefined> {
  let batch: InRecord[] = [];
  for await (const record of bus.read({ topic: topicsOf(config), from, signal })) {
    if (record.timestamp > to) continue;
    batch.push(record);
    if (batch.length < config.common.batch) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
