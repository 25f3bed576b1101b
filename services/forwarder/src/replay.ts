import { fateOf, type Log, messageOf } from '@ringfence/base';
import type { Bus, InRecord } from '@ringfence/bus';
import { createDelivery, type SinkCounts } from './delivery/deliver.ts';
import { topicsOf } from './delivery/sink-runner.ts';
import { temporaryTickets } from './delivery/tickets.ts';
import type { TrustedKeys } from './items/read-item.ts';
import { openSink, type SinkConfig } from './settings/load.ts';

/** By the time at which the bus accepted the records, µs since the epoch; both ends are included. */
export interface ReplayRange {
  readonly from: number;
  readonly to: number;
}

export interface ReplayProgress extends Readonly<SinkCounts> {
  /** Reason of the last refusal; empty: none */
  readonly refusal: string;
  /** Reason why the replay ended early; empty: it did not */
  readonly failure: string;
}

export interface ReplayDeps {
  readonly bus: Bus;
  readonly config: SinkConfig;
  readonly trusted: TrustedKeys;
  readonly log: Log;
  readonly range: ReplayRange;
  readonly signal: AbortSignal;
}

/**
 * Sends the records of a range again, with the same ids, while the sink goes on at its own position. Yields the counts
 * after each batch. Ends with the reason when the far side can't be reached.
 */
export async function* replay(deps: ReplayDeps): AsyncGenerator<ReplayProgress, void, undefined> {
  const { bus, config, trusted, log, range, signal } = deps;
  const counts: SinkCounts = { sent: 0, skipped: 0, refused: 0 };
  const sink = openSink(config, log);
  const tickets = temporaryTickets();
  let refusal = '';
  try {
    const deliver = createDelivery({ config, sink, trusted, counts });
    for await (const batch of batchesOf(bus, config, range, signal)) {
      const refused = await deliver(batch, { signal, tickets });
      refusal = refused.at(-1)?.error.message ?? refusal;
      yield { ...counts, refusal, failure: '' };
    }
  } catch (error) {
    if (fateOf(error) !== 'retriable') throw error;
    yield { ...counts, refusal, failure: messageOf(error) };
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
