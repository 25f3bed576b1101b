import type { Effect, InRecord } from '@ringfence/bus';
import { createAuditPipeline } from './pipeline.ts';
import type { AuditSink, SinkStats, TrailHeads } from './sink.ts';

/** The pipeline and its sink, wherever they run. */
export interface AuditWriter {
  handle(records: readonly InRecord[]): Promise<Effect>;
  /** Heads of the chains that have grown since the last call. */
  heads(): Promise<TrailHeads>;
  stats(): SinkStats;
  close(): Promise<void>;
}

/** In this thread: for sinks that wait on a network rather than on the processor. */
export function createLocalWriter(sink: AuditSink): AuditWriter {
  return {
    handle: createAuditPipeline(sink),
    heads: () => sink.heads(),
    stats: () => sink.stats(),
    close: () => sink.close(),
  };
}
