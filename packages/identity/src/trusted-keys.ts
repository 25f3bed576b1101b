import type { KeyObject } from 'node:crypto';
import type { Enrolment, Role } from '@ringfence/wire';
import { hasRole } from './entries.ts';
import type { FleetStanding } from './standing.ts';
import { isRevokedAt, publicKeyOf, readEnrolment, verifyEnrolment } from './verify.ts';

const MAX_KEYS = 1000;

interface TrustedKey {
  readonly enrolment: Enrolment;
  readonly key: KeyObject;
}

/**
 * Keys of one role for a program that does not read the bus. An agent receives the responders' Enrolment records from
 * the responder it is attached to, and trusts the root key's signature, not the sender. A responder that withholds
 * revocations gains nothing: a key must also be in a recent standing.
 */
export class TrustedKeys {
  readonly #root: KeyObject;
  readonly #role: Role;
  readonly #now: () => number;
  readonly #standing: FleetStanding;
  readonly #keys = new Map<string, TrustedKey>();
  /** Records that failed verification or exceeded the limit */
  refused = 0;

  /** `now`: µs since the epoch. @default the system's clock */
  constructor(root: KeyObject, role: Role, standing: FleetStanding, now: () => number = () => Date.now() * 1000) {
    this.#root = root;
    this.#role = role;
    this.#standing = standing;
    this.#now = now;
  }

  /** Whether no key at all is trusted, because no recent standing was received. */
  get trustsNobody(): boolean {
    const { state } = this.#standing;
    return state === 'missing' || state === 'expired';
  }

  /** Returns the key with this id if it is in force: in the standing, and not revoked. */
  get(keyId: string): KeyObject | undefined {
    if (!this.#standing.trustsKey(keyId, this.#role)) return undefined;
    const entry = this.#keys.get(keyId);
    return entry === undefined || isRevokedAt(entry.enrolment, this.#now()) ? undefined : entry.key;
  }

  /** Adds a framed Enrolment. Ignores records that are forged, for another role, or not newer than the known one. */
  add(value: Uint8Array): void {
    const enrolment = readEnrolment(value);
    const trusted =
      enrolment !== null && hasRole(enrolment, this.#role) && verifyEnrolment(this.#root, enrolment, value) === null;
    if (!trusted) {
      this.refused++;
      return;
    }
    const { signingKeyId, version } = enrolment;
    const existing = this.#keys.get(signingKeyId);
    if (existing !== undefined && existing.enrolment.version >= version) return;
    if (existing === undefined && this.#keys.size >= MAX_KEYS) this.refused++;
    else this.#keys.set(signingKeyId, { enrolment, key: existing?.key ?? publicKeyOf(enrolment) });
  }
}
