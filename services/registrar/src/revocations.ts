import type { Log } from '@ringfence/base';
import { isHostId, isRole } from '@ringfence/identity';
import type { Role } from '@ringfence/wire';
import type { AccessLists } from './access-lists.ts';
import { Departures } from './departures.ts';
import type { EnrolmentStore, StoredEnrolment } from './enrolment-store.ts';
import type { RegistrarMetrics } from './metrics.ts';
import type { Publisher } from './publisher.ts';
import type { StandingIssuer } from './standing-issuer.ts';
import { revokeStep } from './steps/revoke.ts';

/** An announced revocation takes effect this long after the grace period, ms: the access lists take time, too. */
const ANNOUNCED_SLACK_MS = 15_000;

export interface Revocation {
  /** Number of keys revoked */
  readonly keys: number;
  /**
   * `removed`: the brokers refuse the subject from its next request on. `failed`: not yet, and it is tried again.
   * `none`: the brokers do not know the subject by its name.
   */
  readonly access: 'removed' | 'failed' | 'none';
  /**
   * `left`: the service has left its groups, so other members have its partitions. `unconfirmed`: it has not confirmed
   * that in time. `not-awaited`: it was not asked to, or keeps its access.
   */
  readonly departure: 'left' | 'unconfirmed' | 'not-awaited';
  /** Time of the revocation, ms since the epoch */
  readonly at: number;
  /** Roles that the subject had */
  readonly roles: readonly Role[];
}

export interface RevokeOptions {
  /** Removes the access of a service before it has left its groups. @default false */
  readonly now?: boolean;
}

export interface RevocationsDeps {
  readonly store: EnrolmentStore;
  readonly publisher: Publisher;
  readonly standings: StandingIssuer;
  /** Null when the registrar writes no access lists */
  readonly access: AccessLists | null;
  readonly metrics: RegistrarMetrics;
  readonly log: Log;
  readonly leaveGraceMs: number;
  /** Milliseconds since the epoch */
  readonly now: () => number;
}

export class Revocations implements AsyncDisposable {
  readonly departures: Departures = new Departures();
  readonly #deps: RevocationsDeps;
  readonly #running = new Set<Promise<unknown>>();

  constructor(deps: RevocationsDeps) {
    this.#deps = deps;
  }

  /**
   * Revokes a subject. A service is first given time to leave its groups, which it can't without its access: otherwise
   * its partitions would wait for its session to time out. Throws RegistrarError.
   */
  async revoke(subject: string, { now: immediately = false }: RevokeOptions = {}): Promise<Revocation> {
    const running = this.#revoke(subject, immediately);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits for no service any more, and completes the revocations. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.departures.close();
    await Promise.allSettled([...this.#running]);
  }

  async #revoke(subject: string, immediately: boolean): Promise<Revocation> {
    const { store, publisher, standings, metrics, log, now } = this.#deps;
    const lists = isHostId(subject) ? null : this.#deps.access;
    using _ = standings.exclude(subject);
    const departure = lists === null || immediately ? 'not-awaited' : await this.#announce(subject);
    // First the access: no record of the subject can then reach the brokers after the time of the revocation.
    await lists?.update(subject);
    const at = now();
    const enrolments: StoredEnrolment[] = revokeStep(store, subject, at);
    await publisher.publish(enrolments);
    // A change that ran at the same time may have given the access back.
    const written = (await lists?.update()) ?? 'none';
    standings.issue();
    metrics.revoked += enrolments.length;
    const access = written === 'written' ? 'removed' : written;
    log.info({ subject, keys: enrolments.length, access, departure }, 'revoked');
    const roles = enrolments.flatMap(({ enrolment }) => enrolment.role.split(','));
    return { keys: enrolments.length, access, departure, at, roles: [...new Set(roles)].filter(isRole) };
  }

  /**
   * Publishes that the subject is about to be revoked. Others accept its records until then, so nothing that it has
   * written before it leaves goes to the dead letters.
   */
  async #announce(subject: string): Promise<Revocation['departure']> {
    const { store, publisher, standings, leaveGraceMs, log, now } = this.#deps;
    using departure = this.departures.expect(subject);
    const announced = revokeStep(store, subject, now() + leaveGraceMs + ANNOUNCED_SLACK_MS);
    if (announced.length === 0) return 'not-awaited';
    standings.issue();
    await publisher.publish(announced);
    log.info({ subject, graceMs: leaveGraceMs }, 'the service is about to be revoked: waiting until it has left');
    return (await departure.within(leaveGraceMs)) ? 'left' : 'unconfirmed';
  }
}
