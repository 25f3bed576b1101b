import { unpack } from '../../packing.ts';
import { openForReading, type Sqlite, storageError } from '../database.ts';

/** Times are µs since the epoch; both ends are included. */
export interface TimeRange {
  readonly from?: number;
  readonly to?: number;
  readonly hostId?: string;
}

export interface Row {
  readonly record: number;
  readonly kind: number;
  readonly id: string;
  readonly timestamp: number;
  readonly host: string;
  readonly size: number;
  readonly packed: number;
  readonly payload: Buffer;
}

/** Columns of `records r` for a Row. */
export const COLUMNS = 'r.record, r.kind, r.id, r.timestamp, r.host, r.size, r.packed, r.payload';

/** Read access to the file, also while another process writes it. */
export class Trail {
  readonly db: Sqlite;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.db = openForReading(path);
  }

  /** Returns the result of `read`; converts SQLite errors to AuditErrors. */
  guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw storageError(this.#path, error);
    }
  }

  /** Returns a version that changes whenever another connection has written. */
  version(): unknown {
    return this.guard(() => this.db.pragma('data_version', { simple: true }));
  }

  close(): void {
    this.db.close();
  }
}

export function payloadOf(row: Pick<Row, 'payload' | 'packed' | 'size'>): Buffer {
  return unpack(row.payload, row.packed, row.size);
}

export function isIn(query: TimeRange, row: Pick<Row, 'timestamp' | 'host'>): boolean {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, hostId } = query;
  return row.timestamp >= from && row.timestamp <= to && (hostId === undefined || row.host === hostId);
}
