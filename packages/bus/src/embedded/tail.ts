import type { InRecord } from '../port.ts';

/** Of values, per partition: what groups that keep up have still to read. */
const MAX_BYTES = 2 ** 20;
/** What a record takes beside its value, roughly. */
const OVERHEAD = 128;

/** The newest records of a partition as they were written, without holes: who keeps up reads nothing from the file. */
export class Tail {
  #records: InRecord[] = [];
  #bytes = 0;

  push(record: InRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
    // Half of it at once, or each record that comes would move all the others.
    if (this.#bytes > MAX_BYTES) while (this.#bytes > MAX_BYTES / 2) this.#dropOldest();
  }

  /** undefined: the file has to be read */
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

  /** Forgets what is at `next` or above: its transaction failed. */
  cut(next: number): void {
    while (this.#records.length > 0 && (this.#records.at(-1) as InRecord).offset >= next) {
      this.#bytes -= sizeOf(this.#records.pop() as InRecord);
    }
  }

  /** After records were deleted. */
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

/** In memory of its own: neither does a small value keep a large buffer, nor does its writer's next use of the buffer change it. */
export function ownCopy(value: Uint8Array | null): Buffer | null {
  if (value === null) return null;
  const copy = Buffer.allocUnsafeSlow(value.length);
  copy.set(value);
  return copy;
}
