import type { ExecHashes } from '@ringfence/host-facts';
import type { EnrichmentSource } from '@ringfence/host-kit';
import { bootMicros } from '@ringfence/host-kit';
import type { LaneReader, Merge } from '@ringfence/sensor';
import type { Failpoint } from '@ringfence/service-kit';
import type { Batch } from './steps/batch.ts';
import type { Delivery } from './steps/deliver.ts';
import type { OwnEvents } from './steps/own-events.ts';
import type { Ticker } from './steps/ticker.ts';

/** In one cycle: what the event loop waits for us, and how much of a ring is held until it is delivered. */
const EVENTS_PER_CYCLE = 8192;

export interface PipelineParts {
  readonly security: LaneReader;
  readonly bulk: LaneReader;
  readonly merge: Merge;
  readonly batch: Batch;
  readonly own: OwnEvents;
  readonly ticker: Ticker;
  readonly sources: readonly EnrichmentSource[];
  readonly hashes: ExecHashes;
  readonly delivery: Delivery;
  /** of the interest in force */
  readonly generation: () => number;
  /** for crash tests: before the batches go out, before the rings move on, after both */
  readonly failpoint: (point: Failpoint) => void;
  /** keeps account of what the rings gave up */
  readonly released: () => void;
}

export interface Cycle {
  /** events taken off the rings */
  readonly taken: number;
  /** the rings held more than one cycle takes */
  readonly more: boolean;
  /** a tick was begun */
  readonly ticked: boolean;
}

/** The whole flow. What one cycle has read is in the bus or the spool when it is done; only then do the rings move on. */
export async function runCycle(parts: PipelineParts): Promise<Cycle> {
  const { security, bulk, batch, own, ticker, sources, hashes, delivery, failpoint, released } = parts;
  if (delivery.spooling) await delivery.drain(); //                       what waited in the spool goes first
  own.ktime = bootMicros();
  const ticked = ticker.begin();
  if (ticked) for (const source of sources) source.tick(); //             with it: what has changed on the host
  bulk.open(); //                                                         in this order: no open without the exec before it
  security.open();
  const taken = delivery.spooling ? takeApart(parts) : takeTogether(parts); // rings → events, in place
  if (taken > 0) ticker.seen();
  hashes.flush(own, taken < EVENTS_PER_CYCLE); //                         what is known by now of executables
  if (taken < EVENTS_PER_CYCLE) batch.filteredIn(parts.generation()); //  all there was is read: on with what is in force
  security.pause();
  bulk.pause();
  failpoint('before-effect');
  const finished = batch.takeFinished();
  if (finished.length > 0) await delivery.deliver(finished); //           signed → bus, or spool
  failpoint('before-commit');
  security.release(); //                                                  now the kernel may write there again
  bulk.release();
  released();
  failpoint('after-commit');
  return { taken, more: taken >= EVENTS_PER_CYCLE, ticked };
}

/** Both lanes in the order of time, the tick in its place. */
function takeTogether({ security, bulk, merge, ticker }: PipelineParts): number {
  const lanes = [security, bulk];
  let taken = merge.take(lanes, ticker.ktime ?? Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE);
  if (ticker.ktime === null || taken >= EVENTS_PER_CYCLE) return taken;
  ticker.write();
  taken += merge.take(lanes, Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE - taken);
  return taken;
}

/** For the spool each lane has batches of its own, so that a full spool can drop the bulk ones. */
function takeApart({ security, bulk, merge, batch, ticker }: PipelineParts): number {
  let taken = merge.take([security], Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE);
  ticker.write();
  batch.split();
  taken += merge.take([bulk], Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE);
  batch.split();
  return taken;
}
