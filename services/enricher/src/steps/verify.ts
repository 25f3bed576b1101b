import type { KeyObject } from 'node:crypto';
import { Patience } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { claimedSigner, SchemaError, verifyRecord, verifyRecordAsync } from '@ringfence/wire';
import type { Enrolment } from '../config.ts';
import { EnricherError } from '../errors.ts';

export interface Verify {
  (record: InRecord): Buffer;
  /** Verifies a backlog side by side, so that the step finds it done. What is not valid is left to the step, which says why. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** The key of a record's host by id. Throws EnricherError: unknown, not known yet, revoked. */
  keyOf(record: InRecord, keyId: string): KeyObject;
}

/**
 * A batch counts only with the signature of a key that its host enrolled with. The record's key is the host id: it says which. A host that nobody knows may
 * have been enrolled a moment ago: `graceMs` says how long that is waited for.
 */
export function createVerifyStep(enrolment: Enrolment, graceMs: number): Verify {
  const valid = new WeakSet<Uint8Array>();
  const patience = new Patience({ graceMs });

  async function verifyAhead({ key: hostId, value, timestamp }: InRecord): Promise<void> {
    try {
      const key = value === null ? undefined : enrolment.keyFor(hostId, claimedSigner(value), timestamp);
      if (value !== null && key !== undefined && (await verifyRecordAsync(key, value))) valid.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  function unknown(hostId: string, keyId: string): EnricherError {
    if (enrolment.isRevoked?.(keyId) === true) {
      return new EnricherError(
        'ERR_ENRICHER_REVOKED',
        hostId,
        `its key ${keyId} was revoked: enrol the agent anew, or find out who still has the old key`,
      );
    }
    const waits = patience.waitsFor(`${hostId}/${keyId}`);
    return new EnricherError(
      'ERR_ENRICHER_UNKNOWN_HOST',
      hostId,
      'no such key is enrolled for it: enrol the agent, or find out who sends in its name',
      waits ? 'retriable' : 'poison',
    );
  }

  function keyOf({ key: hostId, timestamp }: InRecord, keyId: string): KeyObject {
    const key = enrolment.keyFor(hostId, keyId, timestamp);
    if (key === undefined) throw unknown(hostId, keyId);
    return key;
  }

  function verifySignature(record: InRecord): Buffer {
    const { key: hostId, value } = record;
    if (value === null)
      throw new EnricherError('ERR_ENRICHER_BOUNDS', hostId, 'a tombstone, which ringfence.raw has none of');
    const key = keyOf(record, claimedSigner(value));
    if (!valid.has(value) && !verifyRecord(key, value)) {
      throw new EnricherError('ERR_ENRICHER_SIGNATURE', hostId, 'the signature is not that of the key enrolled for it');
    }
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  return Object.assign(verifySignature, {
    keyOf,
    async ahead(records: readonly InRecord[]) {
      await Promise.all(records.map(verifyAhead));
    },
  });
}
