import { type Log, LogThrottle, messageOf, withDeadline } from '@ringfence/base';
import { isRole } from '@ringfence/identity';
import type { Role } from '@ringfence/wire';
import type { EnrolmentStore } from './enrolment-store.ts';
import type { RegistrarMetrics } from './metrics.ts';

/** Deadline of a change: an enrolment or a revocation waits for it. */
const DEADLINE_MS = 5000;
const RETRY_MS = 30_000;
const LOG_AGAIN_MS = 3_600_000;

/**
 * Gives each service the access of its roles at the brokers, and removes all access of a service without roles.
 * Resolves to null when the brokers have no access lists.
 */
export type SetBrokerAccess = (
  services: ReadonlyMap<string, readonly Role[]>,
) => Promise<{ readonly added: number; readonly removed: number } | null>;

/** `none`: the brokers have no access lists. */
export type AccessOutcome = 'written' | 'failed' | 'none';

export interface AccessListsDeps {
  readonly store: EnrolmentStore;
  readonly setAccess: SetBrokerAccess;
  readonly metrics: RegistrarMetrics;
  readonly log: Log;
  readonly reconcileMs: number;
  /** Milliseconds since the epoch */
  readonly now: () => number;
}

/** Keeps the brokers' access lists equal to the store: one principal for each service, while it is in force. */
export class AccessLists implements AsyncDisposable {
  readonly #deps: AccessListsDeps;
  readonly #warnings = new LogThrottle(LOG_AGAIN_MS);
  #timer: NodeJS.Timeout | undefined;
  /** Changes run one after the other */
  #running: Promise<AccessOutcome> = Promise.resolve('none');
  #closed = false;

  constructor(deps: AccessListsDeps) {
    this.#deps = deps;
  }

  /**
   * Writes the lists, without the service `revoking`. Never rejects: a change that fails or takes longer than the
   * deadline is tried again.
   */
  async update(revoking?: string): Promise<AccessOutcome> {
    this.#running = this.#running.then(() => this.#write(revoking));
    try {
      return await withDeadline(this.#running, DEADLINE_MS, () => new Error('the brokers take too long'));
    } catch (error) {
      this.#warn(error);
      return 'failed';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #write(revoking: string | undefined): Promise<AccessOutcome> {
    const { setAccess, metrics, reconcileMs, log } = this.#deps;
    if (this.#closed) return 'failed';
    try {
      const { roles, endsInMs } = this.#rolesInForce(revoking);
      const changed = await setAccess(roles);
      if (changed !== null && changed.added + changed.removed > 0) {
        metrics.accessAdded += changed.added;
        metrics.accessRemoved += changed.removed;
        log.info(changed, 'access lists of the brokers changed');
      }
      this.#schedule(Math.min(reconcileMs, endsInMs));
      return changed === null ? 'none' : 'written';
    } catch (error) {
      metrics.accessFailures++;
      this.#warn(error);
      this.#schedule(Math.min(RETRY_MS, reconcileMs));
      return 'failed';
    }
  }

  /**
   * Returns the roles by service, an empty list for a service of which no key is in force; and the time until the next
   * key ends: a registrar that was stopped after it had announced a revocation has to remove the access then.
   */
  #rolesInForce(revoking: string | undefined): {
    readonly roles: Map<string, readonly Role[]>;
    readonly endsInMs: number;
  } {
    const { store, now } = this.#deps;
    const at = now() * 1000;
    const roles = new Map<string, readonly Role[]>();
    let endsInMs = Number.POSITIVE_INFINITY;
    for (const subject of store.services()) {
      const inForce = store.ofSubject(subject).filter(({ enrolment }) => {
        const { revokedAt } = enrolment;
        return subject !== revoking && (revokedAt === 0 || revokedAt > at);
      });
      const ends = inForce.flatMap(({ enrolment: { revokedAt } }) => (revokedAt === 0 ? [] : [revokedAt]));
      endsInMs = Math.min(endsInMs, ...ends.map((end) => (end - at) / 1000 + 1));
      const names = inForce.flatMap(({ enrolment }) => enrolment.role.split(','));
      roles.set(subject, [...new Set(names)].filter(isRole));
    }
    return { roles, endsInMs };
  }

  #warn(error: unknown): void {
    if (this.#warnings.shouldLog('failed') === null) return;
    const message =
      'the access lists of the brokers could not be written, so a revoked service keeps its access: retrying; "ringfence topics apply" gives the registrar the right';
    this.#deps.log.warn({ error: messageOf(error) }, message);
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#running.then(() => this.#write(undefined));
    }, ms).unref();
  }
}
