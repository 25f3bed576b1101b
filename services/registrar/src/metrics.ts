import { REFUSALS, type RegistrarErrorCode } from './errors.ts';

export interface RegistrarStats {
  readonly enrolled: number;
  readonly renewed: number;
  /** keys taken back */
  readonly revoked: number;
  readonly refusals: Readonly<Record<RegistrarErrorCode, number>>;
  /** connections that ended before there was a request: no TLS, a bad certificate, too slow */
  readonly brokenConnections: number;
  /** enrolment records written to the bus, and those that could not be yet */
  readonly published: number;
  readonly publishFailures: number;
  /** records on the topic that were missing, older than the book's, or not ours, and were put right */
  readonly healed: number;
}

/** Counts what the registrar did. */
export class RegistrarMetrics {
  enrolled = 0;
  renewed = 0;
  revoked = 0;
  brokenConnections = 0;
  published = 0;
  publishFailures = 0;
  healed = 0;
  readonly #refusals = Object.fromEntries(Object.keys(REFUSALS).map((code) => [code, 0])) as Record<
    RegistrarErrorCode,
    number
  >;

  refused(code: RegistrarErrorCode): void {
    this.#refusals[code]++;
  }

  snapshot(): RegistrarStats {
    const { enrolled, renewed, revoked, brokenConnections, published, publishFailures, healed } = this;
    const refusals = { ...this.#refusals };
    return { enrolled, renewed, revoked, refusals, brokenConnections, published, publishFailures, healed };
  }
}
