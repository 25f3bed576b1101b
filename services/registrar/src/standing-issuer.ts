import { existsSync, readFileSync } from 'node:fs';
import { type Log, messageOf } from '@ringfence/base';
import { standingPath, writeSecret } from '@ringfence/identity';
import { decode, encodeSigned, type SigningKey, type Standing } from '@ringfence/wire';
import type { EnrolmentStore } from './enrolment-store.ts';

/** The store is read at most this often, ms: a fleet has a hundred thousand subjects. */
const READ_EVERY_MS = 1000;
/** A standing without changes is issued anew after this time, ms. */
const ISSUE_EVERY_MS = 30_000;

export interface StandingIssuerDeps {
  readonly store: EnrolmentStore;
  readonly root: SigningKey;
  readonly directory: string;
  readonly log: Log;
  /** Milliseconds since the epoch */
  readonly now: () => number;
}

/** Issues the fleet's standing: the services in force, dated, with a version that only grows. */
export class StandingIssuer {
  readonly #deps: StandingIssuerDeps;
  readonly #path: string;
  /** Services that are about to be revoked */
  readonly #leaving = new Set<string>();
  #version: number;
  #members = '';
  #bytes: Buffer = Buffer.alloc(0);
  #issuedMs = Number.NEGATIVE_INFINITY;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(deps: StandingIssuerDeps) {
    this.#deps = deps;
    this.#path = standingPath(deps.directory);
    this.#version = this.#lastVersion();
  }

  /** Leaves a service out of the standing until disposed. Its enrolment decides from then on. */
  exclude(subject: string): Disposable {
    this.#leaving.add(subject);
    return { [Symbol.dispose]: () => void this.#leaving.delete(subject) };
  }

  /** Returns the standing, framed. It is at most 30 s old and has every change up to a second ago. */
  current(): Buffer {
    const nowMs = performance.now();
    if (nowMs - this.#readMs < READ_EVERY_MS) return this.#bytes;
    return this.issue();
  }

  /** Reads the store now, and returns the standing, framed. */
  issue(): Buffer {
    const nowMs = performance.now();
    const members = this.#membersNow();
    const text = JSON.stringify(members);
    this.#readMs = nowMs;
    if (text === this.#members && nowMs - this.#issuedMs < ISSUE_EVERY_MS) return this.#bytes;
    const issuedAt = this.#deps.now() * 1000;
    // The time keeps versions growing after a restore from a backup, the last version after the clock was set back.
    this.#version = Math.max(this.#version + 1, issuedAt);
    this.#bytes = encodeSigned('Standing', { version: this.#version, issuedAt, members }, this.#deps.root);
    this.#members = text;
    this.#issuedMs = nowMs;
    this.#save();
    return this.#bytes;
  }

  #membersNow(): Standing['members'] {
    const { store, now } = this.#deps;
    const at = now() * 1000;
    return store
      .services()
      .filter((subject) => !this.#leaving.has(subject))
      .sort()
      .flatMap((subject) => store.ofSubject(subject).map(({ enrolment }) => enrolment))
      .filter(({ revokedAt }) => revokedAt === 0 || revokedAt > at)
      .map(({ subject, role, signingKeyId, certificateSerials }) => ({
        subject,
        role,
        signingKeyId,
        certificateSerials,
      }));
  }

  #lastVersion(): number {
    if (!existsSync(this.#path)) return 0;
    try {
      return decode('Standing', readFileSync(this.#path)).version;
    } catch (error) {
      this.#deps.log.warn({ path: this.#path, error: messageOf(error) }, 'the last standing cannot be read');
      return 0;
    }
  }

  #save(): void {
    try {
      writeSecret(this.#path, this.#bytes);
    } catch (error) {
      this.#deps.log.warn({ path: this.#path, error: messageOf(error) }, 'the standing cannot be stored');
    }
  }
}
