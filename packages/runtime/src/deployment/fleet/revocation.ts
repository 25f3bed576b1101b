import type { KeyObject } from 'node:crypto';
import { OperatorError } from '@ringfence/base';
import type { Enrolments, FleetStanding, Identity } from '@ringfence/identity';
import type { SigningKey } from '@ringfence/wire';

/** A certificate may be issued up to this time after its `notBefore`, which allows for clocks that run behind. */
const ISSUED_WITHIN_MS = 360_000;
/**
 * A revocation is obeyed this long before it takes effect, ms: the registrar announces it some seconds ahead, so that
 * the service can leave its groups while the brokers still let it, and clocks differ.
 */
const OBEYED_BEFORE_MS = 300_000;
/** Longest delay of a timer, ms. */
const MAX_TIMER_MS = 86_400_000;

/**
 * Watches whether this service is revoked: by its enrolment on the bus, or by the standing when the brokers refuse it
 * already. No service accepts what a revoked one writes, so it must stop instead of consuming records.
 */
export class RevocationWatch implements Disposable {
  /** Rejects with an OperatorError once this service is revoked; never resolves. */
  readonly revoked: Promise<never>;
  /** Signs like the key of the identity until the service is revoked, then throws. */
  readonly signingKey: SigningKey;
  readonly #identity: Identity;
  readonly #standing: FleetStanding;
  readonly #reject: (reason: OperatorError) => void;
  readonly #watches = new DisposableStack();
  #enrolments: Enrolments | null = null;
  #reason: OperatorError | null = null;
  /** Whether the standing is newer than the enrolment of this service for certain */
  #isNewer = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(identity: Identity, standing: FleetStanding) {
    this.#identity = identity;
    this.#standing = standing;
    ({ promise: this.revoked, reject: this.#reject } = Promise.withResolvers<never>());
    this.revoked.catch(() => {});
    const { keyId, publicKey } = identity.signingKey;
    const throwIfRevoked = (): void => this.throwIfRevoked();
    this.signingKey = {
      keyId,
      publicKey,
      get privateKey(): KeyObject {
        throwIfRevoked();
        return identity.signingKey.privateKey;
      },
    };
    this.#watches.use(standing.onChange(() => this.#check()));
    this.#watches.defer(() => clearTimeout(this.#timer));
    this.#check();
  }

  /** Also watches the enrolment of this service on the bus. */
  follow(enrolments: Enrolments): void {
    this.#enrolments = enrolments;
    const watch = enrolments.onChange(({ subject }) => {
      if (subject === this.#identity.subject) this.#check();
    });
    this.#watches.use(watch);
    this.#check();
  }

  /** Notes that the registrar itself has sent its standing: it knows of the enrolment, if that is still in force. */
  noteFetched(): void {
    this.#isNewer = true;
    this.#check();
  }

  get isRevoked(): boolean {
    return this.#reason !== null;
  }

  throwIfRevoked(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  [Symbol.dispose](): void {
    this.#watches.dispose();
  }

  #check(): void {
    if (this.#reason !== null) return;
    clearTimeout(this.#timer);
    const remainingMs = this.#remainingMs();
    if (remainingMs <= 0 || this.#isMissing()) {
      this.#reason = revokedError(this.#identity);
      this.#reject(this.#reason);
    } else if (Number.isFinite(remainingMs)) {
      this.#timer = setTimeout(() => this.#check(), Math.min(remainingMs + 1, MAX_TIMER_MS)).unref();
    }
  }

  /** Time until the revocation in the enrolment has to be obeyed; Infinity when there is none. */
  #remainingMs(): number {
    const { subject, signingKey } = this.#identity;
    const found = this.#enrolments?.ofSubject(subject).find(({ signingKeyId }) => signingKeyId === signingKey.keyId);
    const revokedAt = found?.revokedAt ?? 0;
    return revokedAt === 0 ? Number.POSITIVE_INFINITY : revokedAt / 1000 - OBEYED_BEFORE_MS - Date.now();
  }

  /** Whether the standing no longer has this service. Agents and the registrar itself are in no standing. */
  #isMissing(): boolean {
    const { roles, notBefore, signingKey } = this.#identity;
    if (roles.every((role) => role === 'agent' || role === 'registrar')) return false;
    if (this.#standing.lists(signingKey.keyId)) {
      this.#isNewer = true;
      return false;
    }
    // A standing of before the enrolment cannot have it.
    const isNewer = this.#isNewer || this.#standing.issuedAt / 1000 > notBefore + ISSUED_WITHIN_MS;
    return this.#standing.state === 'current' && isNewer;
  }
}

function revokedError({ subject, roles }: Identity): OperatorError {
  const role = roles.join(',');
  return new OperatorError(
    `${subject} was revoked: no service accepts its records any more, so it ends, and other members do its unfinished work. If this machine is sound, run "ringfence token --role ${role} --subject ${subject}" on the registrar, then "ringfence enrol" here`,
    { code: 'ERR_REVOKED' },
  );
}
