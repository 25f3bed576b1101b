import type { Effect, InRecord } from '@ringfence/bus';
import { createAuditPipeline } from './pipeline.ts';
import type { AuditSink, SinkStats } from './sink.ts';

/** The pipeline and its sink, wherever they run. */
export interface AuditWriter {
  handle(records: readonly InRecord[]): Promise<Effect>;
  stats(): SinkStats;
  close(): Promise<void>;
}

/** In this thread: for sinks that wait on a network rather than on the processor. */
export function createLocalWriter(sink: AuditSink): AuditWriter {
  return { handle: createAuditPipeline(sink), stats: () => sink.stats(), close: () => sink.close() };
}
