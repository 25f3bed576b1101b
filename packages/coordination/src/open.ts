import type { RedisOptions, SqliteOptions } from './options.ts';
import type { Coordination } from './port.ts';

/**
 * Redis when a url is given, else the file. Redis need not be there yet: calls reject until it is. The driver that isn't used isn't loaded.
 * Throws BadArgumentError for a url that is none, CoordinationLockedError for a file in use.
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
