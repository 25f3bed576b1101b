import { bootMicros } from '@ringfence/host-kit';
import { records } from '@ringfence/wire';

const ENTRY = records.SIZEOF_TAMPERING_ENTRY;
const PROGRAM_MAX = records.TAMPERING_ENTRY_PROGRAM_LENGTH;

/**
 * Makes the entry (struct rf_tampering_entry) of a tampering that user space has found, and whose actor is unknown.
 * @param program what was changed or removed, or the first of `count`
 */
export function madeEntry(operation: number, program: string, count: number): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.writeBigUInt64LE(BigInt(bootMicros()) * 1000n, records.HEADER_KTIME);
  entry.writeUInt32LE(ENTRY, records.HEADER_SIZE);
  entry.writeUInt16LE(records.Kind.TAMPERING, records.HEADER_KIND);
  entry.writeUInt32LE(operation, records.TAMPERING_OPERATION);
  entry.writeUInt32LE(count, records.TAMPERING_COUNT);
  const length = entry.write(program.slice(0, PROGRAM_MAX), records.TAMPERING_ENTRY_PROGRAM, 'latin1');
  entry.writeUInt32LE(records.TAMPERING_ENTRY_PROGRAM, records.TAMPERING_PROGRAM + records.TEXT_OFFSET);
  entry.writeUInt32LE(length, records.TAMPERING_PROGRAM + records.TEXT_KEPT);
  entry.writeUInt32LE(length, records.TAMPERING_PROGRAM + records.TEXT_LENGTH);
  return entry;
}
