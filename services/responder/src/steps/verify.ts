import type { KeyObject } from 'node:crypto';
import { createVerifier } from '@ringfence/service-kit';
import { ForgedRecordError } from '../errors.ts';

/** Returns the key with this id if it may sign such records now. */
export type Trusted = (keyId: string) => KeyObject | undefined;

interface SignedRecord {
  readonly trusted: Trusted;
  /** Kind of the record, for the message. */
  readonly record: string;
  readonly id: string;
  readonly keyId: string;
}

const { verify } = createVerifier<SignedRecord>({
  keyFor: ({ trusted, keyId }) => (keyId === '' ? undefined : trusted(keyId)),
  refuse: ({ record, id, keyId }) => new ForgedRecordError(record, id, keyId),
});

/** Throws ForgedRecordError (poison) unless the last field of `bytes` is the signature of a trusted key. */
export function checkSignature(
  trusted: Trusted,
  record: string,
  { id, keyId }: { id: string; keyId: string },
  bytes: Uint8Array,
): void {
  verify({ trusted, record, id, keyId }, bytes);
}
