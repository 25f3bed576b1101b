import type { RedisOptions, SqliteOptions } from './options.ts';
import type { Coordination } from './port.ts';

/**
 * Opens Redis if `url` is set, else the SQLite file. Redis need not be reachable yet: calls reject until it is. Imports
 * only the driver in use. Throws BadArgumentError for an invalid URL and CoordinationLockedError for a file in use.
 */
export async function openCoordination(options: RedisOptions | SqliteOptions): Promise<Coordination> {
  if ('url' in options) {
    const { RedisCoordination } = await import('./redis/coordination.ts');
    const coordination = new RedisCoordination(options);
    await coordination.started();
    return coordination;
  }
  const { SqliteCoordination } = await import('./sqlite/coordination.ts');
  return new SqliteCoordination(options);
}
