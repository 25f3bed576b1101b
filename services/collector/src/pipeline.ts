import type { ExecHashes } from '@ringfence/host-facts';
import { bootMicros, type EnrichmentSource } from '@ringfence/host-kit';
import type { LaneReader, Merge } from '@ringfence/sensor';
import type { Failpoint } from '@ringfence/service-kit';
import type { Batch } from './delivery/batch.ts';
import type { Outbox } from './delivery/outbox.ts';
import type { AgentEvents } from './steps/agent-events.ts';
import type { Ticker } from './steps/ticker.ts';

/** Bounds event-loop blocking and unreleased ring space per cycle. */
const EVENTS_PER_CYCLE = 8192;

export interface PipelineParts {
  readonly security: LaneReader;
  readonly bulk: LaneReader;
  readonly merge: Merge;
  readonly batch: Batch;
  readonly agentEvents: AgentEvents;
  readonly ticker: Ticker;
  readonly sources: readonly EnrichmentSource[];
  readonly hashes: ExecHashes;
  readonly outbox: Outbox;
  /** Returns the generation of the interest in force. */
  readonly generation: () => number;
  /** For crash tests: called before the batches are sent, before the rings release their records, and after both */
  readonly failpoint: (point: Failpoint) => void;
  /** Called after the rings have released the records of a cycle */
  readonly onReleased: () => void;
}

export interface Cycle {
  /** Number of events taken off the rings */
  readonly taken: number;
  /** Whether the rings held more than one cycle takes */
  readonly more: boolean;
  /** Whether a tick began */
  readonly ticked: boolean;
}

/** The whole flow. The rings release the records of a cycle only when its batches are on the bus or in the spool. */
export async function runCycle(parts: PipelineParts): Promise<Cycle> {
  const { security, bulk, batch, agentEvents, ticker, sources, hashes, outbox, failpoint, onReleased } = parts;
  if (outbox.isSpooling) await outbox.drain(); //                         spooled batches go first
  agentEvents.ktime = bootMicros();
  const ticked = ticker.begin();
  if (ticked) for (const source of sources) source.tick(); //             what has changed on the host
  bulk.open(); //                                                         bulk first: no open without the exec before it
  security.open();
  const taken = outbox.isSpooling ? takeSeparately(parts) : takeTogether(parts); // rings → events, in place
  if (taken > 0) ticker.noteEvents();
  hashes.flush(agentEvents, taken < EVENTS_PER_CYCLE); //                 hashes that are ready
  if (taken < EVENTS_PER_CYCLE) batch.filteredIn(parts.generation()); //  no more records of an older interest
  security.pause();
  bulk.pause();
  failpoint('before-effect');
  const finished = batch.takeFinished();
  if (finished.length > 0) await outbox.send(finished); //                signed → bus or spool
  failpoint('before-commit');
  security.release(); //                                                  the kernel may reuse the room
  bulk.release();
  onReleased();
  failpoint('after-commit');
  return { taken, more: taken >= EVENTS_PER_CYCLE, ticked };
}

/** Takes both lanes in the order of time, and writes the tick at its place. */
function takeTogether({ security, bulk, merge, ticker }: PipelineParts): number {
  const lanes = [security, bulk];
  let taken = merge.take(lanes, ticker.ktime ?? Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE);
  if (ticker.ktime === null || taken >= EVENTS_PER_CYCLE) return taken;
  ticker.write();
  taken += merge.take(lanes, Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE - taken);
  return taken;
}

/** Takes each lane into its own batches, so that a full spool can drop the bulk ones. */
function takeSeparately({ security, bulk, merge, batch, ticker }: PipelineParts): number {
  let taken = merge.take([security], Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE);
  ticker.write();
  batch.split();
  taken += merge.take([bulk], Number.POSITIVE_INFINITY, EVENTS_PER_CYCLE);
  batch.split();
  return taken;
}
