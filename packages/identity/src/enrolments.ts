import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Enrolment, TOPIC } from '@ringfence/schema';
import { messageOf } from './errors.ts';
import type { Role } from './roles.ts';
import { type Disbelief, disbelieve, isRevokedAt, publicKeyOf, readEnrolment } from './verify.ts';

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

interface Entry {
  readonly enrolment: Enrolment;
  key: KeyObject | undefined;
}

/**
 * Who may speak as whom: `ringfence.enrolments`, read from its beginning and followed. Whatever stands there without the root key's signature changes
 * nothing, and neither does a removal or an older version: a thief of the broker's password can't enrol, nor undo a revocation.
 */
export class Enrolments implements AsyncDisposable {
  readonly #options: EnrolmentsOptions;
  readonly #now: () => number;
  readonly #max: number;
  readonly #bySubject = new Map<string, Map<string, Entry>>();
  readonly #byKeyId = new Map<string, Map<string, Entry>>();
  readonly #bySerial = new Map<string, Entry>();
  readonly #listeners = new Set<(enrolment: Enrolment) => void>();
  readonly #stop = new AbortController();
  readonly #refused: Record<Refusal, number> = { unreadable: 0, forged: 0, misplaced: 0, full: 0 };
  #interruptions = 0;
  #known = 0;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: EnrolmentsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now() * 1000);
    this.#max = options.maxEntries ?? 500_000;
  }

  /** Resolves when everything on the topic is known; follows it until closed. Rejects when the topic can't be read. */
  static async open(options: EnrolmentsOptions): Promise<Enrolments> {
    const enrolments = new Enrolments(options);
    for await (const record of options.bus.read({ topic: TOPIC.enrolments })) enrolments.#take(record);
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
    const own = this.#bySubject.get(subject);
    if (own === undefined) return undefined;
    if (keyId !== undefined) return keyOf(own.get(keyId), role, at);
    let newest: Entry | undefined;
    for (const entry of own.values()) {
      const better = newest === undefined || entry.enrolment.issuedAt > newest.enrolment.issuedAt;
      if (better && speaks(entry, role, at)) newest = entry;
    }
    return keyOf(newest, role, at);
  }

  /** For records that only services of one role may write: the key with this id, if it is of that role and in force. */
  trusted(role: Role): (keyId: string, at?: number) => KeyObject | undefined {
    return (keyId, at = this.#now()) => {
      for (const entry of this.#byKeyId.get(keyId)?.values() ?? []) {
        const key = keyOf(entry, role, at);
        if (key !== undefined) return key;
      }
      return undefined;
    };
  }

  /** Whether the certificate (hex serial) is enrolled and not revoked: a signature of the authority alone is not enough. */
  inForce(serial: string): boolean {
    const entry = this.#bySerial.get(serial.toUpperCase());
    return entry !== undefined && !isRevokedAt(entry.enrolment, this.#now());
  }

  /** Whether this certificate (hex serial) or signing key (id) is known, and taken back. */
  isRevoked(serialOrKeyId: string): boolean {
    const now = this.#now();
    const entry = this.#bySerial.get(serialOrKeyId.toUpperCase());
    if (entry !== undefined) return isRevokedAt(entry.enrolment, now);
    const own = [...(this.#byKeyId.get(serialOrKeyId)?.values() ?? [])];
    return own.length > 0 && own.every(({ enrolment }) => isRevokedAt(enrolment, now));
  }

  /** All of one subject, the revoked ones too. */
  of(subject: string): readonly Enrolment[] {
    return [...(this.#bySubject.get(subject)?.values() ?? [])].map(({ enrolment }) => enrolment);
  }

  /** All that may act in this role, or might: the revoked ones too. Looks at every enrolment there is. */
  withRole(role: Role): readonly Enrolment[] {
    const found: Enrolment[] = [];
    for (const own of this.#bySubject.values()) {
      for (const { enrolment } of own.values()) if (hasRole(enrolment, role)) found.push(enrolment);
    }
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
    for (const own of this.#bySubject.values())
      for (const one of own.values()) if (isRevokedAt(one.enrolment, now)) gone++;
    return { known: this.#known, revoked: gone, refused: { ...this.#refused }, interruptions: this.#interruptions };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Reads on for ever; what was read before is passed over by its version. What is known stays in force while the topic can't be read. */
  async #follow(): Promise<void> {
    const { bus, log } = this.#options;
    const { signal } = this.#stop;
    for (let pause = 1000; !signal.aborted; pause = Math.min(pause * 2, 30_000)) {
      try {
        for await (const record of bus.read({ topic: TOPIC.enrolments, follow: true, signal })) {
          this.#take(record);
          pause = 1000;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#interruptions++;
        log?.warn({ error: messageOf(error) }, `${TOPIC.enrolments} can't be followed: revocations may come late`);
      }
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  #take({ key, value }: { readonly key: string; readonly value: Uint8Array | null }): void {
    // A removal is nothing that the root key has said.
    if (value === null) return;
    const read = this.#read(key, value);
    if (read === null) return;
    if (typeof read === 'string') this.#refused[read]++;
    else this.#put(read);
  }

  /** null: nothing new. The signature is looked at last: it costs most. */
  #read(key: string, value: Uint8Array): Enrolment | Refusal | null {
    const enrolment = readEnrolment(value);
    if (enrolment === null) return 'unreadable';
    const { subject, signingKeyId, version } = enrolment;
    if (key !== `${subject}/${signingKeyId}`) return 'misplaced';
    const before = this.#bySubject.get(subject)?.get(signingKeyId);
    if (before !== undefined && before.enrolment.version >= version) return null;
    const disbelief = disbelieve(this.#options.root, enrolment, value);
    if (disbelief !== null) return disbelief;
    return before === undefined && this.#known >= this.#max ? 'full' : enrolment;
  }

  #put(enrolment: Enrolment): void {
    const { subject, signingKeyId, certificateSerials } = enrolment;
    const own = mapIn(this.#bySubject, subject);
    const before = own.get(signingKeyId);
    for (const serial of before?.enrolment.certificateSerials ?? []) this.#bySerial.delete(serial.toUpperCase());
    const entry: Entry = { enrolment, key: undefined };
    own.set(signingKeyId, entry);
    mapIn(this.#byKeyId, signingKeyId).set(subject, entry);
    for (const serial of certificateSerials) this.#bySerial.set(serial.toUpperCase(), entry);
    if (before === undefined) this.#known++;
    for (const listener of [...this.#listeners]) listener(enrolment);
  }
}

export function hasRole({ role }: Enrolment, wanted: Role): boolean {
  return role.split(',').includes(wanted);
}

function speaks({ enrolment }: Entry, role: Role, at: number): boolean {
  return hasRole(enrolment, role) && !isRevokedAt(enrolment, at);
}

function keyOf(entry: Entry | undefined, role: Role, at: number): KeyObject | undefined {
  if (entry === undefined || !speaks(entry, role, at)) return undefined;
  entry.key ??= publicKeyOf(entry.enrolment);
  return entry.key;
}

function mapIn<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}
