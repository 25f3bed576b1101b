export type { EventAccount, LaneFlow } from './account.ts';
export type { CollectorOptions } from './config.ts';
export { offlineActions } from './control/actions.ts';
export type { CollectorDeps, CollectorIdentity } from './deps.ts';
export { CollectorError, type CollectorErrorCode, SpoolError } from './errors.ts';
export { type Collector, startCollector } from './main.ts';
export type { CollectorStats } from './metrics.ts';
