import type { InRecord } from '@ringfence/bus';
import { SchemaError, verifyRecord, verifyRecordAside } from '@ringfence/schema';
import type { Enrolment } from '../config.ts';
import { EnricherError } from '../errors.ts';

export interface Verify {
  (record: InRecord): Buffer;
  /** Verifies a backlog side by side, so that the step finds it done. What is not valid is left to the step, which says why. */
  ahead(records: readonly InRecord[]): Promise<void>;
}

/** A batch counts only with the signature of the key that its host enrolled with. The record's key is the host id: it says which. */
export function createVerifyStep(enrolment: Enrolment): Verify {
  const valid = new WeakSet<Uint8Array>();

  async function verifyAhead({ key: hostId, value }: InRecord): Promise<void> {
    const key = enrolment.keyFor(hostId);
    if (value === null || key === undefined) return;
    try {
      if (await verifyRecordAside(key, value)) valid.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  function verifySignature(record: InRecord): Buffer {
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
    if (!valid.has(value) && !verifyRecord(key, value)) {
      throw new EnricherError('ERR_ENRICHER_SIGNATURE', hostId, 'the signature is not that of the key enrolled for it');
    }
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  return Object.assign(verifySignature, {
    async ahead(records: readonly InRecord[]) {
      await Promise.all(records.map(verifyAhead));
    },
  });
}
