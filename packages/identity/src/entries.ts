import type { KeyObject } from 'node:crypto';
import { decode, type Enrolment, type Role } from '@ringfence/wire';
import { publicKeyOf } from './verify.ts';

/**
 * An enrolment in memory: the fields that are read often, and the encoded record, which takes a third of the memory of
 * the decoded one.
 */
export interface Entry {
  readonly subject: string;
  readonly role: string;
  readonly signingKeyId: string;
  readonly serials: readonly string[];
  readonly issuedAt: number;
  readonly revokedAt: number;
  readonly version: number;
  readonly bytes: Uint8Array;
  key: KeyObject | undefined;
}

/** Enrolments by subject, key and certificate. */
export class Entries {
  readonly #bySubject = new Map<string, Entry[]>();
  readonly #byKeyId = new Map<string, Entry[]>();
  readonly #bySerial = new Map<string, Entry>();
  /** Interned role strings: a hundred thousand entries share a few */
  readonly #roles = new Map<string, string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  ofSubject(subject: string): readonly Entry[] {
    return this.#bySubject.get(subject) ?? [];
  }

  /** Returns several entries when one key was enrolled under several subjects. */
  ofKeyId(keyId: string): readonly Entry[] {
    return this.#byKeyId.get(keyId) ?? [];
  }

  ofSerial(serial: string): Entry | undefined {
    return this.#bySerial.get(serial.toUpperCase());
  }

  find(subject: string, keyId: string): Entry | undefined {
    return this.ofSubject(subject).find((entry) => entry.signingKeyId === keyId);
  }

  *all(): Generator<Entry> {
    for (const entries of this.#bySubject.values()) yield* entries;
  }

  /** Replaces the entry of this subject and key, if there is one. */
  put(enrolment: Enrolment, bytes: Uint8Array): void {
    const { subject, signingKeyId, issuedAt, revokedAt, version } = enrolment;
    const existing = this.find(subject, signingKeyId);
    for (const serial of existing?.serials ?? []) this.#bySerial.delete(serial);
    const role = this.#roles.get(enrolment.role) ?? enrolment.role;
    this.#roles.set(role, role);
    const serials = enrolment.certificateSerials.map((serial) => serial.toUpperCase());
    // Copy the bytes: they are a slice of a whole fetched chunk, which would stay in memory.
    const key = existing?.key;
    const copy = Buffer.from(bytes);
    const entry: Entry = { subject, role, signingKeyId, serials, issuedAt, revokedAt, version, bytes: copy, key };
    replace(this.#bySubject, subject, existing, entry);
    replace(this.#byKeyId, signingKeyId, existing, entry);
    for (const serial of serials) this.#bySerial.set(serial, entry);
    if (existing === undefined) this.#size++;
  }
}

export function decodeEntry({ bytes }: Entry): Enrolment {
  return decode('Enrolment', bytes);
}

/** Creates the key object on first use: most hosts' keys are never used. */
export function publicKeyOfEntry(entry: Entry): KeyObject {
  entry.key ??= publicKeyOf(decodeEntry(entry));
  return entry.key;
}

export function hasRole({ role }: Pick<Enrolment, 'role'>, wanted: Role): boolean {
  return role === wanted || role.split(',').includes(wanted);
}

function replace(map: Map<string, Entry[]>, key: string, existing: Entry | undefined, entry: Entry): void {
  const remaining = (map.get(key) ?? []).filter((candidate) => candidate !== existing);
  map.set(key, [...remaining, entry]);
}
