import type { KeyObject } from 'node:crypto';
import { followTopic } from '@ringfence/bus/follow';
import { type Enrolment, type Role, SchemaError, TOPIC, verifyRecordAside } from '@ringfence/wire';
import { decodeEntry, Entries, type Entry, hasRole, publicKeyOfEntry } from './entries.ts';
import { messageOf } from './errors.ts';
import { type Disbelief, disbelieve, isRevokedAt, readEnrolment } from './verify.ts';

/** The part of the bus that is needed: packages/bus's `Bus` has it. */
export interface EnrolmentLog {
  read(options: {
    readonly topic: string;
    readonly follow?: boolean;
    readonly signal?: AbortSignal;
  }): AsyncIterable<{ readonly key: string; readonly value: Uint8Array | null }>;
}

export interface EnrolmentsOptions {
  readonly bus: EnrolmentLog;
  /** the fleet's root key: nobody else's word counts */
  readonly root: KeyObject;
  /** Enrolments remembered; further ones are refused and counted. @default 500,000 */
  readonly maxEntries?: number;
  /** µs since the epoch. @default the system's clock */
  readonly now?: () => number;
  readonly log?: { warn(facts: object, message: string): void };
}

export interface EnrolmentsStats {
  readonly known: number;
  readonly revoked: number;
  /** records not believed, by cause */
  readonly refused: Readonly<Record<Refusal, number>>;
  /** times the topic could not be read on */
  readonly interruptions: number;
}

export type Refusal = Disbelief | 'full';

/** Records of a start that are verified side by side. */
const BATCH = 256;

interface LogRecord {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * Who may speak as whom: `ringfence.enrolments`, read from its beginning and followed. Whatever stands there without the root key's signature changes
 * nothing, and neither does a removal or an older version: a thief of the broker's password can't enrol, nor undo a revocation.
 */
export class Enrolments implements AsyncDisposable {
  readonly #options: EnrolmentsOptions;
  readonly #now: () => number;
  readonly #max: number;
  readonly #entries = new Entries();
  /** values whose signature was found good ahead of their turn */
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

  /** Resolves when everything on the topic is known; follows it until closed. Rejects when the topic can't be read. */
  static async open(options: EnrolmentsOptions): Promise<Enrolments> {
    const enrolments = new Enrolments(options);
    let batch: LogRecord[] = [];
    const take = async (): Promise<void> => {
      await Promise.all(batch.map((record) => enrolments.#verifyAhead(record)));
      for (const record of batch) enrolments.#take(record);
      batch = [];
    };
    for await (const record of options.bus.read({ topic: TOPIC.enrolments })) {
      if (batch.push(record) === BATCH) await take();
    }
    await take();
    enrolments.#following = enrolments.#follow();
    return enrolments;
  }

  /** The key of a host's agent: by its id, or the newest in force. The enricher's `Enrolment` port. */
  keyFor(hostId: string, keyId?: string, at?: number): KeyObject | undefined {
    return this.key('agent', hostId, keyId, at);
  }

  /**
   * The key that `subject` may sign with in this role. `at`: µs since the epoch, when it was signed, by a clock that can be told (the broker's, not the
   * signer's); what was signed before a revocation stays good. @default now
   */
  key(role: Role, subject: string, keyId?: string, at: number = this.#now()): KeyObject | undefined {
    let newest: Entry | undefined;
    for (const entry of this.#entries.ofSubject(subject)) {
      if ((keyId !== undefined && entry.signingKeyId !== keyId) || !speaks(entry, role, at)) continue;
      if (newest === undefined || entry.issuedAt > newest.issuedAt) newest = entry;
    }
    return newest === undefined ? undefined : publicKeyOfEntry(newest);
  }

  /** For records that only services of one role may write: the key with this id, if it is of that role and in force. */
  trusted(role: Role): (keyId: string, at?: number) => KeyObject | undefined {
    return (keyId, at = this.#now()) => {
      const entry = this.#entries.ofKeyId(keyId).find((one) => speaks(one, role, at));
      return entry === undefined ? undefined : publicKeyOfEntry(entry);
    };
  }

  /** Whether the certificate (hex serial) is enrolled and not revoked: a signature of the authority alone is not enough. */
  inForce(serial: string): boolean {
    const entry = this.#entries.ofSerial(serial);
    return entry !== undefined && !isRevokedAt(entry, this.#now());
  }

  /** Whether this certificate (hex serial) or signing key (id) is known, and taken back. */
  isRevoked(serialOrKeyId: string): boolean {
    const now = this.#now();
    const certificate = this.#entries.ofSerial(serialOrKeyId);
    const found = certificate === undefined ? this.#entries.ofKeyId(serialOrKeyId) : [certificate];
    return found.length > 0 && found.every((entry) => isRevokedAt(entry, now));
  }

  /** All of one subject, the revoked ones too. */
  of(subject: string): readonly Enrolment[] {
    return this.#entries.ofSubject(subject).map(decodeEntry);
  }

  /** All that may act in this role, or might: the revoked ones too. Looks at every enrolment there is. */
  withRole(role: Role): readonly Enrolment[] {
    const found: Enrolment[] = [];
    for (const entry of this.#entries.all()) if (hasRole(entry, role)) found.push(decodeEntry(entry));
    return found;
  }

  /** Told of every enrolment that is new or changed from now on. */
  onChange(listener: (enrolment: Enrolment) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  stats(): EnrolmentsStats {
    let gone = 0;
    const now = this.#now();
    for (const entry of this.#entries.all()) if (isRevokedAt(entry, now)) gone++;
    const { size: known } = this.#entries;
    return { known, revoked: gone, refused: { ...this.#refused }, interruptions: this.#interruptions };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What was read before is passed over by its version. What is known stays in force while the topic can't be read. */
  #follow(): Promise<void> {
    const { bus, log } = this.#options;
    return followTopic({
      bus,
      topic: TOPIC.enrolments,
      signal: this.#stop.signal,
      take: (record) => this.#take(record),
      interrupted: (error) => {
        this.#interruptions++;
        log?.warn({ error: messageOf(error) }, `${TOPIC.enrolments} can't be followed: revocations may come late`);
      },
      maxPauseMs: 30_000,
    });
  }

  #take({ key, value }: LogRecord): void {
    // A removal is nothing that the root key has said.
    if (value === null) return;
    const read = this.#read(key, value);
    if (read === null) return;
    if (typeof read === 'string') {
      this.#refused[read]++;
      return;
    }
    this.#entries.put(read, value);
    for (const listener of [...this.#listeners]) listener(read);
  }

  /** null: nothing new. The signature is looked at last: it costs most. */
  #read(key: string, value: Uint8Array): Enrolment | Refusal | null {
    const enrolment = readEnrolment(value);
    if (enrolment === null) return 'unreadable';
    const { subject, signingKeyId, version } = enrolment;
    if (key !== `${subject}/${signingKeyId}`) return 'misplaced';
    const before = this.#entries.find(subject, signingKeyId);
    if (before !== undefined && before.version >= version) return null;
    const disbelief = disbelieve(this.#options.root, enrolment, value, this.#verified.has(value));
    if (disbelief !== null) return disbelief;
    return before === undefined && this.#entries.size >= this.#max ? 'full' : enrolment;
  }

  /** What is not valid is left to `#read`, which says why. */
  async #verifyAhead({ value }: LogRecord): Promise<void> {
    if (value === null) return;
    try {
      if (await verifyRecordAside(this.#options.root, value)) this.#verified.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }
}

function speaks(entry: Entry, role: Role, at: number): boolean {
  return hasRole(entry, role) && !isRevokedAt(entry, at);
}
