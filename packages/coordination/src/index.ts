export {
  BadArgumentError,
  CoordinationAwayError,
  CoordinationClosedError,
  CoordinationError,
  CoordinationLockedError,
  CoordinationRefusedError,
  PostponeError,
} from './errors.ts';
export { openCoordination } from './open.ts';
export type { RedisOptions, SqliteOptions } from './options.ts';
export type {
  Bucket,
  Coordination,
  CoordinationStats,
  DeadJob,
  Holder,
  Job,
  JobCounts,
  JobHandler,
  JobRun,
  JobWorker,
  Lease,
  TakeResult as Taken,
  WorkerOptions,
} from './port.ts';
