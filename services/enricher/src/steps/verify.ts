import type { InRecord } from '@ringfence/bus';
import { verifyRecord } from '@ringfence/schema';
import type { Enrolment } from '../config.ts';
import { EnricherError } from '../errors.ts';

export type Verify = (record: InRecord) => Buffer;

/** A batch counts only with the signature of the key that its host enrolled with. The record's key is the host id: it says which. */
export function createVerifyStep(enrolment: Enrolment): Verify {
  return function verifySignature(record) {
    const { key: hostId, value } = record;
    if (value === null)
      throw new EnricherError('ERR_ENRICHER_BOUNDS', hostId, 'a tombstone, which ringfence.raw has none of');
    const key = enrolment.keyFor(hostId);
    if (key === undefined) {
      throw new EnricherError(
        'ERR_ENRICHER_UNKNOWN_HOST',
        hostId,
        'no key is enrolled for it: enrol the agent, or find out who sends in its name',
      );
    }
    if (!verifyRecord(key, value)) {
      throw new EnricherError('ERR_ENRICHER_SIGNATURE', hostId, 'the signature is not that of the key enrolled for it');
    }
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  };
}
