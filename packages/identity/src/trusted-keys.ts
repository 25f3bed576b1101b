import type { KeyObject } from 'node:crypto';
import type { Enrolment, Role } from '@ringfence/wire';
import { hasRole } from './entries.ts';
import { disbelieve, isRevokedAt, publicKeyOf, readEnrolment } from './verify.ts';

const MAX_KEYS = 1000;

interface Held {
  readonly enrolment: Enrolment;
  readonly key: KeyObject;
}

/**
 * Keys of one role for a program that does not read the bus: an agent is given the responders' Enrolment records by whichever responder it is attached
 * to, and believes the root key in them, not the one who brings them.
 */
export class TrustedKeys {
  readonly #root: KeyObject;
  readonly #role: Role;
  readonly #now: () => number;
  readonly #held = new Map<string, Held>();
  /** records that were not believed, and those there was no room for */
  refused = 0;

  /** `now`: µs since the epoch. @default the system's clock */
  constructor(root: KeyObject, role: Role, now: () => number = () => Date.now() * 1000) {
    this.#root = root;
    this.#role = role;
    this.#now = now;
  }

  /** The key with this id, while it is in force. */
  get(keyId: string): KeyObject | undefined {
    const held = this.#held.get(keyId);
    return held === undefined || isRevokedAt(held.enrolment, this.#now()) ? undefined : held.key;
  }

  /** A framed Enrolment. What is forged, of another role, or older than what is known changes nothing. */
  take(value: Uint8Array): void {
    const enrolment = readEnrolment(value);
    if (enrolment === null || !hasRole(enrolment, this.#role) || disbelieve(this.#root, enrolment, value) !== null) {
      this.refused++;
      return;
    }
    const { signingKeyId, version } = enrolment;
    const before = this.#held.get(signingKeyId);
    if (before !== undefined && before.enrolment.version >= version) return;
    if (before === undefined && this.#held.size >= MAX_KEYS) this.refused++;
    else this.#held.set(signingKeyId, { enrolment, key: before?.key ?? publicKeyOf(enrolment) });
  }
}
