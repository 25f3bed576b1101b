export { type AuditorOptions, compileAuditorOptions } from './config.ts';
export * from './errors.ts';
export { type Auditor, type AuditorDeps, startAuditor } from './main.ts';
export type { AuditorStats } from './metrics.ts';
export { AUDITED, createAuditPipeline } from './pipeline.ts';
export type * from './sink.ts';
export {
  AuditReader,
  type EventQuery,
  type IncidentDossier,
  type ListQuery,
  type SearchHit,
  type TimeRange,
  type TrailStats,
} from './sqlite/reader.ts';
export { SqliteSink, type SqliteSinkOptions } from './sqlite/sink.ts';
export type { ChainHead, Tampering, TamperKind, Verification } from './sqlite/verify.ts';
