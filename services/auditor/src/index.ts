export type { KeyLookupByRole } from '@ringfence/ecs';
export { type AuditorOptions, clusterOf, compileAuditorOptions } from './config.ts';
export { idOf as documentIdOf } from './elasticsearch/documents/audit.ts';
export * from './elasticsearch/errors.ts';
export {
  CLUSTER_DEFAULTS,
  type ClusterOptions,
  type IndexNames,
  namesOf as indexNamesOf,
} from './elasticsearch/options.ts';
export { ClusterReader } from './elasticsearch/reader.ts';
export { ClusterSink, type ClusterSinkDeps } from './elasticsearch/sink.ts';
export { templateLines } from './elasticsearch/template-files.ts';
export * from './errors.ts';
export type * from './evidence.ts';
export type { Hold } from './hold.ts';
export { headsInFile } from './kept-heads.ts';
export { type Auditor, type AuditorDeps, startAuditor } from './main.ts';
export type { AuditorStats } from './metrics.ts';
export { createAuditPipeline } from './pipeline.ts';
export type * from './sink.ts';
export type { IncidentDossier } from './sqlite/read/dossier.ts';
export type { EventQuery } from './sqlite/read/events.ts';
export type { ListQuery } from './sqlite/read/list.ts';
export type { SearchHit } from './sqlite/read/search.ts';
export type { TimeRange } from './sqlite/read/trail.ts';
export type { TrailStats } from './sqlite/read/trail-stats.ts';
export { AuditReader } from './sqlite/reader.ts';
export { SqliteSink, type SqliteSinkOptions } from './sqlite/sink.ts';
export type { SourceRange, TrailReader } from './trail-reader.ts';
export { type PublishedHeads, readHeads } from './verify/heads.ts';
export type { PublishedHead, Tampering, TamperKind, Verification } from './verify/verification.ts';
export { verifyAudit } from './verify/verify-audit.ts';
