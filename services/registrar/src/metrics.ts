import { REFUSALS, type RegistrarErrorCode } from './errors.ts';

export interface RegistrarStats {
  readonly enrolled: number;
  readonly renewed: number;
  /** Keys revoked */
  readonly revoked: number;
  readonly refusals: Readonly<Record<RegistrarErrorCode, number>>;
  /** Connections that ended before a request: no TLS, a bad certificate, too slow */
  readonly brokenConnections: number;
  /** Enrolment records written to the bus */
  readonly published: number;
  /** Attempts to write to the bus that failed; they are retried */
  readonly publishFailures: number;
  /** Records rewritten because they were missing, outdated or not signed by the root key */
  readonly healed: number;
  /** Entries added to the access lists of the brokers */
  readonly accessAdded: number;
  /** Entries removed from the access lists of the brokers */
  readonly accessRemoved: number;
  /** Attempts to write the access lists that failed; they are retried */
  readonly accessFailures: number;
}

export class RegistrarMetrics {
  enrolled = 0;
  renewed = 0;
  revoked = 0;
  brokenConnections = 0;
  published = 0;
  publishFailures = 0;
  healed = 0;
  accessAdded = 0;
  accessRemoved = 0;
  accessFailures = 0;
  readonly #refusals = Object.fromEntries(Object.keys(REFUSALS).map((code) => [code, 0])) as Record<
    RegistrarErrorCode,
    number
  >;

  countRefusal(code: RegistrarErrorCode): void {
    this.#refusals[code]++;
  }

  snapshot(): RegistrarStats {
    const { enrolled, renewed, revoked, brokenConnections, published, publishFailures, healed } = this;
    const { accessAdded, accessRemoved, accessFailures } = this;
    const access = { accessAdded, accessRemoved, accessFailures };
    const refusals = { ...this.#refusals };
    return { enrolled, renewed, revoked, refusals, brokenConnections, published, publishFailures, healed, ...access };
  }
}
