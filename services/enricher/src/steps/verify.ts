import type { KeyObject } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { createVerifier, type Refusal } from '@ringfence/service-kit';
import type { Enrolment } from '../config.ts';
import { EnricherError } from '../errors.ts';

export interface Verify {
  /** Returns the bytes of a signed batch. Throws EnricherError. */
  (record: InRecord): Buffer;
  /** Verifies a backlog in parallel. Invalid batches are left to the step, which throws. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** Returns the key of a record's host. Throws EnricherError when it is unknown, not known yet, or revoked. */
  keyOf(record: InRecord, keyId: string): KeyObject;
}

/**
 * Accepts only batches that are signed with a key enrolled for their host; the key of the record is the host id. A new
 * host may send batches before its enrolment arrives, so unknown keys have a grace period of `graceMs`.
 */
export function createVerifyStep(enrolment: Enrolment, graceMs: number): Verify {
  const isRevoked = (keyId: string): boolean => enrolment.isRevoked?.(keyId) === true;

  function refuse({ key: hostId }: InRecord, { reason, keyId, fate }: Refusal): EnricherError {
    if (reason === 'wrong-signature')
      return new EnricherError('ERR_ENRICHER_SIGNATURE', hostId, 'its signature does not match its enrolled key');
    if (isRevoked(keyId))
      return new EnricherError(
        'ERR_ENRICHER_REVOKED',
        hostId,
        `its key ${keyId} was revoked: enrol the agent anew, or find out who still has the old key`,
      );
    return new EnricherError(
      'ERR_ENRICHER_UNKNOWN_HOST',
      hostId,
      'its key is not enrolled: enrol the agent, or find out who sends in its name',
      fate,
    );
  }

  const { verify, ahead, keyOf } = createVerifier<InRecord>({
    keyFor: ({ key: hostId, timestamp }, keyId) => enrolment.keyFor(hostId, keyId, timestamp),
    refuse,
    graceMs,
    graceName: ({ key: hostId }, keyId) => (isRevoked(keyId) ? null : `${hostId}/${keyId}`),
  });

  function verifyBatch(record: InRecord): Buffer {
    const { key: hostId, value } = record;
    if (value === null)
      throw new EnricherError(
        'ERR_ENRICHER_BOUNDS',
        hostId,
        'the record is a tombstone, which ringfence.raw must not have',
      );
    verify(record, value);
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  return Object.assign(verifyBatch, { ahead, keyOf });
}
