import type { KeyObject } from 'node:crypto';
import { decode, type Enrolment, type Role } from '@ringfence/wire';
import { publicKeyOf } from './verify.ts';

/** One enrolment as it is remembered: what is looked at often, and the record itself, which takes a third of what it takes decoded. */
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
  /** each set of roles once: there are few, and a hundred thousand that have them */
  readonly #roles = new Map<string, string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  ofSubject(subject: string): readonly Entry[] {
    return this.#bySubject.get(subject) ?? [];
  }

  /** More than one where one key was enrolled under several names. */
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
    for (const own of this.#bySubject.values()) yield* own;
  }

  /** In the place of the one before of this subject and key. */
  put(enrolment: Enrolment, bytes: Uint8Array): void {
    const { subject, signingKeyId, issuedAt, revokedAt, version } = enrolment;
    const before = this.find(subject, signingKeyId);
    for (const serial of before?.serials ?? []) this.#bySerial.delete(serial);
    const role = this.#roles.get(enrolment.role) ?? enrolment.role;
    this.#roles.set(role, role);
    const serials = enrolment.certificateSerials.map((serial) => serial.toUpperCase());
    // A copy: the record's bytes are a piece of all that came with it.
    const own = { bytes: Buffer.from(bytes), key: before?.key };
    const entry: Entry = { subject, role, signingKeyId, serials, issuedAt, revokedAt, version, ...own };
    replace(this.#bySubject, subject, before, entry);
    replace(this.#byKeyId, signingKeyId, before, entry);
    for (const serial of serials) this.#bySerial.set(serial, entry);
    if (before === undefined) this.#size++;
  }
}

export function decodeEntry({ bytes }: Entry): Enrolment {
  return decode('Enrolment', bytes);
}

/** Made when it is first asked for: of most hosts that is never. */
export function publicKeyOfEntry(entry: Entry): KeyObject {
  entry.key ??= publicKeyOf(decodeEntry(entry));
  return entry.key;
}

export function hasRole({ role }: Pick<Enrolment, 'role'>, wanted: Role): boolean {
  return role === wanted || role.split(',').includes(wanted);
}

function replace(map: Map<string, Entry[]>, key: string, before: Entry | undefined, entry: Entry): void {
  const others = (map.get(key) ?? []).filter((one) => one !== before);
  map.set(key, [...others, entry]);
}
