export type { EnricherOptions, Enrolment } from './config.ts';
export { EnricherError, type EnricherErrorCode, EnricherStateError } from './errors.ts';
export { type EnricherDeps, type EnricherService, startEnricher } from './main.ts';
export type { EnricherStats } from './metrics.ts';
export { createEnricherPipeline, type EnricherPipeline } from './pipeline.ts';
export { STORE as ENRICHER_STORE } from './state/changelog.ts';
