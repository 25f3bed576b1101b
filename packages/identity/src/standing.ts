import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { messageOf } from '@ringfence/base';
import { decode, keyIdOf, type Role, SchemaError, type Standing, verifyRecord } from '@ringfence/wire';
import { hasRole } from './entries.ts';
import { writeSecret } from './files.ts';

const MAX_BYTES = 1 << 19;

/**
 * `current`: the newest standing is not older than the limit. `expired`: it is older, so no key is trusted. `missing`:
 * none was ever received, so no key is trusted. `unsupported`: none was ever received, and the registrar is of a
 * version that has none, so the enrolments alone decide.
 */
export type StandingState = 'current' | 'expired' | 'missing' | 'unsupported';

export interface FleetStandingOptions {
  /** A standing older than this is not trusted, ms. @default 1 h */
  readonly maxAgeMs?: number;
  /**
   * File that keeps the newest standing: after a restart an older one is refused, and a registrar that denies having
   * standings is not believed. @default none
   */
  readonly path?: string;
  readonly log?: { warn(facts: object, message: string): void };
  /** µs since the epoch. @default the system's clock */
  readonly now?: () => number;
  /** Time since the boot, suspended time included, which no program can set, ms. @default the system's */
  readonly uptimeMs?: () => number;
}

/** The newest standing of the fleet that this program received, from whichever sender: the root key signed it. */
export class FleetStanding {
  readonly maxAgeMs: number;
  readonly #root: KeyObject;
  readonly #path: string | undefined;
  readonly #log: FleetStandingOptions['log'];
  readonly #now: () => number;
  readonly #uptimeMs: () => number;
  /** Time since the epoch at the boot, as the clock said at the start and standings have corrected it, ms */
  #bootedMs: number;
  readonly #listeners = new Set<() => void>();
  #newest: { readonly standing: Standing; readonly bytes: Uint8Array; readonly receivedMs: number } | null = null;
  #unsupported = false;
  /** Values that the root key did not sign */
  refused = 0;

  constructor(root: KeyObject, options: FleetStandingOptions = {}) {
    const { maxAgeMs = 3_600_000, path, log, now = () => Date.now() * 1000 } = options;
    const { uptimeMs = () => uptime() * 1000 } = options;
    this.maxAgeMs = maxAgeMs;
    this.#root = root;
    this.#path = path;
    this.#log = log;
    this.#now = now;
    this.#uptimeMs = uptimeMs;
    this.#bootedMs = now() / 1000 - uptimeMs();
    this.#restore();
  }

  /** The newest standing, framed; null when there is none. */
  get bytes(): Uint8Array | null {
    return this.#newest?.bytes ?? null;
  }

  get version(): number {
    return this.#newest?.standing.version ?? 0;
  }

  /** µs since the epoch; 0 when there is none. */
  get issuedAt(): number {
    return this.#newest?.standing.issuedAt ?? 0;
  }

  /**
   * The earlier of the clock's time and the time since the start, ms since the epoch. So nothing expires because root
   * has set the clock forward, which would stop all kills.
   */
  get timeMs(): number {
    return Math.min(this.#now() / 1000, this.#bootedMs + this.#uptimeMs());
  }

  /** Age of the newest standing, ms; null when there is none. */
  get ageMs(): number | null {
    if (this.#newest === null) return null;
    // A clock that was set back would make a standing younger; the monotonic time since its receipt does not change.
    const sinceReceiptMs = performance.now() - this.#newest.receivedMs;
    return Math.max(this.timeMs - this.#newest.standing.issuedAt / 1000, sinceReceiptMs);
  }

  get state(): StandingState {
    const { ageMs } = this;
    if (ageMs === null) return this.#unsupported ? 'unsupported' : 'missing';
    return ageMs <= this.maxAgeMs ? 'current' : 'expired';
  }

  /** Whether the newest standing has this key, however old it is. */
  lists(keyId: string): boolean {
    return this.#newest?.standing.members.some(({ signingKeyId }) => signingKeyId === keyId) === true;
  }

  /** Whether records signed with this key are obeyed now. */
  trustsKey(keyId: string, role: Role): boolean {
    return this.#decides((member) => member.signingKeyId === keyId && hasRole(member, role));
  }

  /** Whether the certificate (hex serial) is in force in this role. */
  trustsCertificate(serial: string, role: Role): boolean {
    const wanted = serial.toUpperCase();
    return this.#decides(
      (member) =>
        hasRole(member, role) && member.certificateSerials.some((candidate) => candidate.toUpperCase() === wanted),
    );
  }

  /** Takes a framed Standing. Ignores a value that is forged or not newer than the known one. */
  add(bytes: Uint8Array): void {
    const standing = this.#read(bytes);
    if (standing === null) {
      this.refused++;
      return;
    }
    if (standing.version <= this.version) return;
    // Copy: the value may be a slice of a network buffer.
    this.#newest = { standing, bytes: Buffer.from(bytes), receivedMs: performance.now() };
    // The clock may have been behind at the start: it is no earlier than the root key says.
    this.#bootedMs = Math.max(this.#bootedMs, standing.issuedAt / 1000 - this.#uptimeMs());
    this.#unsupported = false;
    this.#save();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Notes that the registrar has no standings. Has no effect once a standing was received. */
  markUnsupported(): void {
    if (this.#newest !== null || this.#unsupported) return;
    this.#unsupported = true;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after each newer standing. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #decides(isMatch: (member: Standing['members'][number]) => boolean): boolean {
    const { state } = this;
    if (state === 'unsupported') return true;
    return state === 'current' && this.#newest?.standing.members.some(isMatch) === true;
  }

  #read(bytes: Uint8Array): Standing | null {
    if (bytes.length > MAX_BYTES) return null;
    try {
      const standing = decode('Standing', bytes);
      return standing.keyId === keyIdOf(this.#root) && verifyRecord(this.#root, bytes) ? standing : null;
    } catch (error) {
      if (error instanceof SchemaError) return null;
      throw error;
    }
  }

  #restore(): void {
    if (this.#path === undefined || !existsSync(this.#path)) return;
    try {
      const bytes = readFileSync(this.#path);
      const standing = this.#read(bytes);
      if (standing !== null) this.#newest = { standing, bytes, receivedMs: performance.now() };
    } catch (error) {
      this.#log?.warn({ error: messageOf(error) }, 'the stored standing of the fleet cannot be read');
    }
  }

  #save(): void {
    if (this.#path === undefined || this.#newest === null) return;
    try {
      writeSecret(this.#path, this.#newest.bytes);
    } catch (error) {
      this.#log?.warn({ error: messageOf(error) }, 'the standing of the fleet cannot be stored');
    }
  }
}

/** File of the newest standing in the directory of an identity. */
export const standingPath = (directory: string): string => `${directory}/standing.avro`;
