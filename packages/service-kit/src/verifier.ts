import type { KeyObject } from 'node:crypto';
import { GracePeriod } from '@ringfence/base';
import { claimedSigner, SchemaError, verifyRecord, verifyRecordAsync } from '@ringfence/wire';

/** Why a record is refused. */
export interface Refusal {
  /** `unknown-key`: no key with this id may sign the record. `wrong-signature`: the key has not signed these bytes. */
  readonly reason: 'unknown-key' | 'wrong-signature';
  /** Id of the key in the record; empty for an unsigned record. */
  readonly keyId: string;
  /** `retriable` during the grace period of a key whose enrolment may still be on its way. */
  readonly fate: 'poison' | 'retriable';
}

export interface VerifierOptions<R> {
  /** Returns the key with this id if it may sign the record, and was in force when the bus accepted the record. */
  readonly keyFor: (record: R, keyId: string) => KeyObject | undefined;
  /** Returns the error that `verify` and `keyOf` throw. */
  readonly refuse: (record: R, refusal: Refusal) => Error;
  /** How long a record waits for an unknown key, ms. @default 0 */
  readonly graceMs?: number;
  /**
   * Returns the name that the grace period is granted to, or null for a key that cannot be on its way. @default none
   */
  readonly graceName?: (record: R, keyId: string) => string | null;
}

/** Verifies that records are signed with a key that may sign them. */
export interface Verifier<R> {
  /** Throws the error of `refuse`, or SchemaError for a value that is too short. */
  verify(record: R, value: Uint8Array): void;
  /** Verifies a backlog in parallel, so that `verify` need not. Invalid records are left to `verify`. */
  ahead(records: readonly (R & { readonly value: Uint8Array | null })[]): Promise<void>;
  /** Returns the key of a record. Throws the error of `refuse` for an unknown key. */
  keyOf(record: R, keyId: string): KeyObject;
}

export function createVerifier<R>(options: VerifierOptions<R>): Verifier<R> {
  const { keyFor, refuse, graceMs = 0, graceName = () => null } = options;
  /** Values whose signature was found valid by `ahead`. */
  const valid = new WeakSet<Uint8Array>();
  const grace = new GracePeriod({ graceMs });

  function keyOf(record: R, keyId: string): KeyObject {
    const key = keyFor(record, keyId);
    if (key !== undefined) return key;
    const name = graceName(record, keyId);
    const fate = name !== null && grace.isWithin(name) ? 'retriable' : 'poison';
    throw refuse(record, { reason: 'unknown-key', keyId, fate });
  }

  async function verifyAhead(record: R, value: Uint8Array): Promise<void> {
    try {
      const key = keyFor(record, claimedSigner(value));
      if (key !== undefined && (await verifyRecordAsync(key, value))) valid.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  return {
    keyOf,
    verify(record, value) {
      const keyId = claimedSigner(value);
      // Look the key up even for a verified value: it may have been revoked in the meantime.
      const key = keyOf(record, keyId);
      if (!valid.has(value) && !verifyRecord(key, value))
        throw refuse(record, { reason: 'wrong-signature', keyId, fate: 'poison' });
    },
    async ahead(records) {
      await Promise.all(records.map((record) => record.value !== null && verifyAhead(record, record.value)));
    },
  };
}
