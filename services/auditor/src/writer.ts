import type { Effect, InRecord } from '@ringfence/bus';
import { createAuditPipeline } from './pipeline.ts';
import type { AuditSink, SinkStats, TrailHeads } from './sink.ts';

/** The pipeline with its sink, in this thread or in another. */
export interface AuditWriter {
  handle(records: readonly InRecord[]): Promise<Effect>;
  /** Returns the heads of the chains that have grown since the last call. */
  heads(): Promise<TrailHeads>;
  stats(): SinkStats;
  close(): Promise<void>;
}

/** Runs the pipeline in this thread, for sinks that wait for the network rather than use the CPU. */
export function createLocalWriter(sink: AuditSink): AuditWriter {
  return {
    handle: createAuditPipeline(sink),
    heads: () => sink.heads(),
    stats: () => sink.stats(),
    close: () => sink.close(),
  };
}
