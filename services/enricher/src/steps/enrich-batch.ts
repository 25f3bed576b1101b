import type { InRecord } from '@ringfence/bus';
import { type EventCursor, KIND, leaf, RawBatchReader } from '@ringfence/wire';
import { countEvent, type EnricherStats } from '../metrics.ts';
import { type Boot, laneOf, type Run } from '../state/boot.ts';
import type { Boots } from '../state/boots.ts';
import type { ProcessEntry } from '../state/process.ts';
import type { BatchBuilder } from './batch.ts';
import { noteContext } from './contexts.ts';
import { noteHash } from './hashes.ts';
import { followNames } from './names.ts';
import { followProcess, partialReason } from './processes.ts';
import { runIdOf, type SequenceStep } from './sequences.ts';
import { NO_ORIGIN, noteWrite, type Origin, originOf, originOfHashed } from './writers.ts';

export interface EnrichStepDeps {
  readonly boots: Boots;
  readonly sequences: SequenceStep;
  readonly out: BatchBuilder;
  readonly stats: EnricherStats;
}

/** A host whose state has changed, and the framed EventBatches; null: no state has changed. */
export interface Enriched {
  readonly boot: Boot | null;
  readonly batches: readonly Buffer[];
}

/** ringfence.raw → EventBatches. The bytes must have passed the steps verify and check. */
export function createEnrichStep({
  boots,
  sequences,
  out,
  stats,
}: EnrichStepDeps): (record: InRecord, bytes: Buffer) => Enriched {
  const reader = new RawBatchReader();

  function enrichEvent(boot: Boot, run: Run, runId: string, cursor: EventCursor): void {
    if (!sequences.isNew(laneOf(run, cursor.lane, cursor.cpu), cursor, boot.tick)) return;
    const process = followProcess(boot, cursor, out);
    if (cursor.kind === KIND.Open) noteWrite(boot, process, cursor);
    else if (cursor.kind === KIND.Hash) noteHash(boot, process, cursor, out);
    else if (process === null) noteContext(boot, cursor);
    const container = process === null ? null : boot.containerAt(process, cursor.buffer, cursor.cgroupAt);
    if (process !== null) followNames(boot, container?.value.id ?? '', cursor, out);
    const { writer, writtenAgo } = originAt(boot, process, cursor);
    const partial = partialReason(process, cursor);
    if (partial !== '') stats.partial++;
    out.addEvent(process, container, writer, writtenAgo, partial, cursor);
    if (cursor.kind === KIND.Tick) tick(boot, runId, cursor);
    countEvent(stats, cursor.kind);
  }

  /** Runs all timers of the boot. */
  function tick(boot: Boot, runId: string, cursor: EventCursor): void {
    const { sequence, ktime } = cursor;
    boot.tick++;
    boot.last = { run: runId, sequence, ktime, isFinal: cursor.leafBoolean(leaf.Tick.last) };
    sequences.reportGaps(boot, runId, ktime, out);
    boot.processes.sweep(boot.tick);
    boot.contexts.sweep(boot.tick);
  }

  return function enrichBatch(record, bytes) {
    reader.open(bytes);
    const { hostId, bootId, run: runBytes, wallOffset, sentAt, lanes, interestVersion } = reader.head;
    const boot = boots.activate(hostId, bootId, record.partition);
    boot.wallOffset = wallOffset;
    boot.interest = interestVersion;
    const runId = runIdOf(runBytes);
    out.begin({ boot, run: runBytes, wallOffset, sentAt, receivedAt: record.timestamp, lanes });
    const run = boot.run(runId);
    sequences.readDrops(run, lanes);
    while (reader.next()) enrichEvent(boot, run, runId, reader.cursor);
    sequences.readAnnounced(run, lanes, boot.tick);
    const batches = out.finish();
    stats.batches++;
    stats.splits += Math.max(0, batches.length - 1);
    return { boot, batches };
  };
}

function originAt(boot: Boot, process: ProcessEntry | null, cursor: EventCursor): Origin {
  if (cursor.kind === KIND.Exec) return originOf(boot, cursor);
  return cursor.kind === KIND.Hash && cursor.tgid !== 0 ? originOfHashed(boot, process, cursor) : NO_ORIGIN;
}
