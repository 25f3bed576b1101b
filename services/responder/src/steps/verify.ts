import type { KeyObject } from 'node:crypto';
import { verifyRecord } from '@ringfence/wire';
import { ForgedRecordError } from '../errors.ts';

/** The key of this id when whoever has it may write such records; undefined: nobody, or no more. */
export type Trusted = (keyId: string) => KeyObject | undefined;

/** Throws ForgedRecordError (poison) unless the last field of `bytes` is the signature of a trusted key. `who`: what stands in the message. */
export function checkSignature(
  trusted: Trusted,
  record: string,
  who: { id: string; keyId: string },
  bytes: Uint8Array,
): void {
  const key = who.keyId === '' ? undefined : trusted(who.keyId);
  if (key === undefined || !verifyRecord(key, bytes)) throw new ForgedRecordError(record, who.id, who.keyId);
}
