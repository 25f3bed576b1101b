import type { InRecord } from '../port.ts';

/** Limit for one partition, bytes. Enough for the groups that keep up. */
const MAX_BYTES = 2 ** 20;
/** Bytes of a record beside its value, approximately. */
const OVERHEAD = 128;

/** The newest records of a partition in memory, without gaps. A group that keeps up needs no reads from the file. */
export class Tail {
  #records: InRecord[] = [];
  #bytes = 0;

  push(record: InRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
    // Drop half at once. Otherwise each new record would shift all others.
    if (this.#bytes > MAX_BYTES) while (this.#bytes > MAX_BYTES / 2) this.#dropOldest();
  }

  /** Returns undefined when the records have to be read from the file. */
  fetch(offset: number, maxRecords: number, maxBytes: number): InRecord[] | undefined {
    const first = this.#records[0]?.offset;
    if (first === undefined || offset < first) return undefined;
    const fetched: InRecord[] = [];
    let bytes = 0;
    for (let i = offset - first; i < this.#records.length && fetched.length < maxRecords; i++) {
      const record = this.#records[i] as InRecord;
      bytes += record.value?.length ?? 0;
      if (fetched.length > 0 && bytes > maxBytes) break;
      fetched.push(record);
    }
    return fetched;
  }

  /** Removes the records from `next` on, whose transaction has failed. */
  cut(next: number): void {
    while (this.#records.length > 0 && (this.#records.at(-1) as InRecord).offset >= next) {
      this.#bytes -= sizeOf(this.#records.pop() as InRecord);
    }
  }

  /** Call it after records were deleted from the file. */
  clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }

  #dropOldest(): void {
    this.#bytes -= sizeOf(this.#records.shift() as InRecord);
  }
}

function sizeOf({ value }: InRecord): number {
  return (value?.length ?? 0) + OVERHEAD;
}

/** Copies a value, so that it neither retains a larger buffer nor changes when its writer reuses the buffer. */
export function copyOf(value: Uint8Array | null): Buffer | null {
  if (value === null) return null;
  const copy = Buffer.allocUnsafeSlow(value.length);
  copy.set(value);
  return copy;
}
