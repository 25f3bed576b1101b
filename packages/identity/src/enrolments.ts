import type { KeyObject } from 'node:crypto';
import { messageOf } from '@ringfence/base';
import { followTopic } from '@ringfence/bus/follow';
import { type Enrolment, type Role, SchemaError, TOPIC, verifyRecordAsync } from '@ringfence/wire';
import { decodeEntry, Entries, type Entry, hasRole, publicKeyOfEntry } from './entries.ts';
import { isRevokedAt, readEnrolment, type VerifyFailure, verifyEnrolment } from './verify.ts';

/** The subset of the bus that Enrolments needs. */
export interface EnrolmentLog {
  read(options: {
    readonly topic: string;
    readonly follow?: boolean;
    readonly signal?: AbortSignal;
  }): AsyncIterable<{ readonly key: string; readonly value: Uint8Array | null }>;
}

export interface EnrolmentsOptions {
  readonly bus: EnrolmentLog;
  /** The fleet's root key; records without its signature are refused */
  readonly root: KeyObject;
  /** Maximum number of enrolments kept; further ones are refused and counted. @default 500,000 */
  readonly maxEntries?: number;
  /** µs since the epoch. @default the system's clock */
  readonly now?: () => number;
  readonly log?: { warn(facts: object, message: string): void };
}

export interface EnrolmentsStats {
  readonly known: number;
  readonly revoked: number;
  /** Refused records, by reason */
  readonly refused: Readonly<Record<Refusal, number>>;
  /** Number of times reading the topic failed */
  readonly interruptions: number;
}

export type Refusal = VerifyFailure | 'full';

/** Records that are verified in parallel at start. */
const BATCH = 256;

interface LogRecord {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * The fleet's enrolments: `ringfence.enrolments`, read from the beginning and followed. Records without the root key's
 * signature, tombstones and older versions are ignored: an attacker with the broker's password can neither enrol a key
 * nor undo a revocation.
 */
export class Enrolments implements AsyncDisposable {
  readonly #options: EnrolmentsOptions;
  readonly #now: () => number;
  readonly #max: number;
  readonly #entries = new Entries();
  /** Values whose signature was verified ahead of processing */
  readonly #verified = new WeakSet<Uint8Array>();
  readonly #listeners = new Set<(enrolment: Enrolment) => void>();
  readonly #stop = new AbortController();
  readonly #refused: Record<Refusal, number> = { unreadable: 0, forged: 0, misplaced: 0, full: 0 };
  #interruptions = 0;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: EnrolmentsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now() * 1000);
    this.#max = options.maxEntries ?? 500_000;
  }

  /** Reads the whole topic, then follows it until closed. Rejects when the topic cannot be read. */
  static async open(options: EnrolmentsOptions): Promise<Enrolments> {
    const enrolments = new Enrolments(options);
    let batch: LogRecord[] = [];
    const flush = async (): Promise<void> => {
      await Promise.all(batch.map((record) => enrolments.#verifyAhead(record)));
      for (const record of batch) enrolments.#apply(record);
      batch = [];
    };
    for await (const record of options.bus.read({ topic: TOPIC.enrolments })) {
      if (batch.push(record) === BATCH) await flush();
    }
    await flush();
    enrolments.#following = enrolments.#follow();
    return enrolments;
  }

  /** Returns the key of a host's agent with this id, or the newest valid key. The enricher's `Enrolment` port. */
  keyFor(hostId: string, keyId?: string, at?: number): KeyObject | undefined {
    return this.key('agent', hostId, keyId, at);
  }

  /**
   * Returns the key that `subject` may sign with in this role. `at` is the signing time in µs since the epoch, by a
   * trusted clock (the broker's, not the signer's): records signed before a revocation stay valid. @default now
   */
  key(role: Role, subject: string, keyId?: string, at: number = this.#now()): KeyObject | undefined {
    let newest: Entry | undefined;
    for (const entry of this.#entries.ofSubject(subject)) {
      if ((keyId !== undefined && entry.signingKeyId !== keyId) || !maySign(entry, role, at)) continue;
      if (newest === undefined || entry.issuedAt > newest.issuedAt) newest = entry;
    }
    return newest === undefined ? undefined : publicKeyOfEntry(newest);
  }

  /** Returns a lookup by key id that finds only valid keys of this role. */
  trustedKeys(role: Role): (keyId: string, at?: number) => KeyObject | undefined {
    return (keyId, at = this.#now()) => {
      const entry = this.#entries.ofKeyId(keyId).find((candidate) => maySign(candidate, role, at));
      return entry === undefined ? undefined : publicKeyOfEntry(entry);
    };
  }

  /** Whether a certificate (hex serial) is enrolled and not revoked; the authority's signature is not enough. */
  isInForce(serial: string): boolean {
    const entry = this.#entries.ofSerial(serial);
    return entry !== undefined && !isRevokedAt(entry, this.#now());
  }

  /** Whether this certificate (hex serial) or signing key (id) is enrolled and revoked. */
  isRevoked(serialOrKeyId: string): boolean {
    const now = this.#now();
    const certificate = this.#entries.ofSerial(serialOrKeyId);
    const found = certificate === undefined ? this.#entries.ofKeyId(serialOrKeyId) : [certificate];
    return found.length > 0 && found.every((entry) => isRevokedAt(entry, now));
  }

  /** Returns all enrolments of a subject, including revoked ones. */
  ofSubject(subject: string): readonly Enrolment[] {
    return this.#entries.ofSubject(subject).map(decodeEntry);
  }

  /** Returns the newest enrolment of a key as the root key signed it; undefined for an unknown key. */
  recordOf(keyId: string): Uint8Array | undefined {
    return this.#entries.ofKeyId(keyId).at(-1)?.bytes;
  }

  /** Returns all enrolments with this role, including revoked ones. Scans every enrolment. */
  withRole(role: Role): readonly Enrolment[] {
    const found: Enrolment[] = [];
    for (const entry of this.#entries.all()) if (hasRole(entry, role)) found.push(decodeEntry(entry));
    return found;
  }

  /** Calls `listener` for every enrolment that is added or changed from now on. */
  onChange(listener: (enrolment: Enrolment) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  stats(): EnrolmentsStats {
    let revoked = 0;
    const now = this.#now();
    for (const entry of this.#entries.all()) if (isRevokedAt(entry, now)) revoked++;
    const { size: known } = this.#entries;
    return { known, revoked, refused: { ...this.#refused }, interruptions: this.#interruptions };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Skips known records by their version. Known keys stay valid while the topic cannot be read. */
  #follow(): Promise<void> {
    const { bus, log } = this.#options;
    return followTopic({
      bus,
      topic: TOPIC.enrolments,
      signal: this.#stop.signal,
      take: (record) => this.#apply(record),
      interrupted: (error) => {
        this.#interruptions++;
        log?.warn({ error: messageOf(error) }, `cannot follow ${TOPIC.enrolments}: revocations may be delayed`);
      },
      maxPauseMs: 30_000,
    });
  }

  #apply({ key, value }: LogRecord): void {
    // A tombstone carries no signature of the root key.
    if (value === null) return;
    const result = this.#check(key, value);
    if (result === null) return;
    if (typeof result === 'string') {
      this.#refused[result]++;
      return;
    }
    this.#entries.put(result, value);
    for (const listener of [...this.#listeners]) listener(result);
  }

  /** Returns null when the record is not newer than the known one. Checks the signature last because it costs most. */
  #check(key: string, value: Uint8Array): Enrolment | Refusal | null {
    const enrolment = readEnrolment(value);
    if (enrolment === null) return 'unreadable';
    const { subject, signingKeyId, version } = enrolment;
    if (key !== `${subject}/${signingKeyId}`) return 'misplaced';
    const existing = this.#entries.find(subject, signingKeyId);
    if (existing !== undefined && existing.version >= version) return null;
    const failure = verifyEnrolment(this.#options.root, enrolment, value, this.#verified.has(value));
    if (failure !== null) return failure;
    return existing === undefined && this.#entries.size >= this.#max ? 'full' : enrolment;
  }

  /** Ignores invalid values: `#check` counts them with a reason. */
  async #verifyAhead({ value }: LogRecord): Promise<void> {
    if (value === null) return;
    try {
      if (await verifyRecordAsync(this.#options.root, value)) this.#verified.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }
}

function maySign(entry: Entry, role: Role, at: number): boolean {
  return hasRole(entry, role) && !isRevokedAt(entry, at);
}
