export type { EventAccount } from './account.ts';
export type { CollectorOptions } from './config.ts';
export { type Collector, type CollectorDeps, startCollector } from './main.ts';
export type { CollectorStats } from './metrics.ts';
export { Batch, type Finished } from './steps/batch.ts';
export { OwnEvents } from './steps/own-events.ts';
