export type { EventAccount, LaneFlow } from './account.ts';
export { type CollectorOptions, type CompiledOptions, compileOptions } from './config.ts';

export { AgentControl } from './control/control.ts';
export { ExecutedCommands } from './control/executed.ts';
export { RateLimit } from './control/rate-limit.ts';
export { REFUSALS, type Refusal } from './control/reasons.ts';

export { CollectorError, type CollectorErrorCode, SpoolError } from './errors.ts';

export { type Collector, type CollectorDeps, type CollectorIdentity, startCollector } from './main.ts';
export type { CollectorStats } from './metrics.ts';

export type { Tally } from './spool/segment.ts';
export { Spool } from './spool/spool.ts';
export type { Finished } from './steps/batch.ts';
export { Batch } from './steps/batch.ts';
export { Delivery } from './steps/deliver.ts';
