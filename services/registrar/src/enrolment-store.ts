import { createPublicKey, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isHostId, syncDirectory } from '@ringfence/identity';
import { decode, type Enrolment, encodeSigned, type SigningKey, verifyRecord } from '@ringfence/wire';

const FILE_NAME = /^([0-9a-f]{16})\.(\d+)\.avro$/;

/** An enrolment as stored and published: framed and signed by the root key. */
export interface StoredEnrolment {
  readonly enrolment: Enrolment;
  readonly bytes: Buffer;
}

export type Draft = Omit<Enrolment, 'version' | 'keyId' | 'signature'>;

/**
 * The authoritative store of enrolments, of which `ringfence.enrolments` is a copy: `enrolments/<subject>/<key
 * id>.<version>.avro` next to the authority. A version is created by a hard link, which fails when the file exists, so
 * two processes cannot both write it.
 */
export class EnrolmentStore {
  readonly #directory: string;
  readonly #root: SigningKey;

  constructor(directory: string, root: SigningKey) {
    this.#directory = `${directory}/enrolments`;
    this.#root = root;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  subjects(): string[] {
    return readdirSync(this.#directory);
  }

  /** Returns the names of the services. */
  services(): string[] {
    return this.subjects().filter((subject) => !isHostId(subject));
  }

  /** Returns all keys of a subject, each in its highest version. */
  ofSubject(subject: string): StoredEnrolment[] {
    return [...this.#versions(subject)].map(([keyId, version]) => this.#read(subject, keyId, version));
  }

  /**
   * Writes and syncs the next version, returned by `change` for the existing enrolment (undefined when there is none).
   * Returns null when `change` returns null.
   */
  update(
    subject: string,
    keyId: string,
    change: (existing: Enrolment | undefined) => Draft | null,
  ): StoredEnrolment | null {
    for (;;) {
      const version = this.#versions(subject).get(keyId) ?? 0;
      const draft = change(version === 0 ? undefined : this.#read(subject, keyId, version).enrolment);
      if (draft === null) return null;
      const bytes = encodeSigned('Enrolment', { ...draft, version: version + 1 }, this.#root);
      if (this.#write(subject, keyId, version + 1, bytes)) return { enrolment: decode('Enrolment', bytes), bytes };
    }
  }

  /**
   * Stores an enrolment that the topic has and the store lacks, as after a restore from an old backup. The caller must
   * have verified it.
   */
  adopt({ enrolment, bytes }: StoredEnrolment): void {
    this.#write(enrolment.subject, enrolment.signingKeyId, enrolment.version, bytes);
  }

  /** Returns null unless the fleet's root key signed the record. Throws SchemaError for malformed bytes. */
  verify(bytes: Uint8Array): StoredEnrolment | null {
    const enrolment = decode('Enrolment', bytes);
    const isSigned = enrolment.keyId === this.#root.keyId && verifyRecord(this.#root.publicKey, bytes);
    return isSigned ? { enrolment, bytes: Buffer.from(bytes) } : null;
  }

  /** Returns false when another process has already written this version or a higher one. */
  #write(subject: string, keyId: string, version: number, bytes: Buffer): boolean {
    const directory = `${this.#directory}/${subject}`;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const temporary = `${directory}/${randomBytes(8).toString('hex')}.new`;
    writeFileSync(temporary, bytes, { mode: 0o600, flush: true });
    try {
      linkSync(temporary, `${directory}/${keyId}.${version}.avro`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(temporary);
    }
    syncDirectory(directory);
    syncDirectory(this.#directory);
    if ((this.#versions(subject).get(keyId) ?? 0) > version) return false;
    for (const [, fileKeyId, fileVersion] of this.#files(subject)) {
      if (fileKeyId === keyId && Number(fileVersion) < version)
        rmSync(`${directory}/${keyId}.${fileVersion}.avro`, { force: true });
    }
    return true;
  }

  #versions(subject: string): Map<string, number> {
    const versions = new Map<string, number>();
    for (const [, keyId, version] of this.#files(subject)) {
      versions.set(keyId as string, Math.max(Number(version), versions.get(keyId as string) ?? 0));
    }
    return versions;
  }

  #files(subject: string): RegExpExecArray[] {
    try {
      return readdirSync(`${this.#directory}/${subject}`)
        .map((name) => FILE_NAME.exec(name))
        .filter((match) => match !== null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #read(subject: string, keyId: string, version: number): StoredEnrolment {
    const bytes = readFileSync(`${this.#directory}/${subject}/${keyId}.${version}.avro`);
    return { enrolment: decode('Enrolment', bytes), bytes };
  }
}

/** Parses an Ed25519 key in SPKI DER. Returns null for anything else. */
export function readSigningKey(der: Buffer): ReturnType<typeof createPublicKey> | null {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    // Untrusted bytes: they are no key if they cannot be parsed.
    return null;
  }
}
