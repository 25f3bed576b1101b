export type { EnricherOptions, Enrolment } from './config.ts';
export { EnricherError, type EnricherErrorCode, EnricherStateError } from './errors.ts';
export type { InterestGroup } from './interest-groups.ts';
export { type EnricherDeps, type EnricherService, startEnricher } from './main.ts';
export type { EnricherServiceStats, EnricherStats } from './metrics.ts';
export { createEnricherPipeline, type EnricherPipeline } from './pipeline.ts';
export { STORE as ENRICHER_STORE, STORE } from './state/changelog.ts';
