import { createPublicKey, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncDirectory } from '@ringfence/identity';
import { decode, type Enrolment, encodeSigned, type SigningKey, verifyRecord } from '@ringfence/wire';

const FILE = /^([0-9a-f]{16})\.(\d+)\.avro$/;

/** An enrolment as it is kept and published: framed and signed by the root key. */
export interface Page {
  readonly enrolment: Enrolment;
  readonly bytes: Buffer;
}

export type Draft = Omit<Enrolment, 'version' | 'keyId' | 'signature'>;

/**
 * Who is enrolled: the truth that `ringfence.enrolments` repeats, `enrolments/<subject>/<key id>.<version>.avro` beside the authority. A version is made by
 * a link that fails when it is there, so that two processes can't both write the same one.
 */
export class Book {
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

  /** All keys of a subject, each in its highest version. */
  of(subject: string): Page[] {
    return [...this.#versions(subject)].map(([keyId, version]) => this.#page(subject, keyId, version));
  }

  /** Writes what `change` makes of the version before (undefined: none); null: nothing to change. On the disk when it returns. */
  update(subject: string, keyId: string, change: (before: Enrolment | undefined) => Draft | null): Page | null {
    for (;;) {
      const version = this.#versions(subject).get(keyId) ?? 0;
      const draft = change(version === 0 ? undefined : this.#page(subject, keyId, version).enrolment);
      if (draft === null) return null;
      const bytes = encodeSigned('Enrolment', { ...draft, version: version + 1 }, this.#root);
      if (this.#write(subject, keyId, version + 1, bytes)) return { enrolment: decode('Enrolment', bytes), bytes };
    }
  }

  /** Takes over a page that the topic has and the book lacks: the book was restored from a copy. It must be of the root key. */
  adopt({ enrolment, bytes }: Page): void {
    this.#write(enrolment.subject, enrolment.signingKeyId, enrolment.version, bytes);
  }

  /** null: not signed by this fleet's root key. Throws SchemaError for what is no Enrolment. */
  verify(bytes: Uint8Array): Page | null {
    const enrolment = decode('Enrolment', bytes);
    const genuine = enrolment.keyId === this.#root.keyId && verifyRecord(this.#root.publicKey, bytes);
    return genuine ? { enrolment, bytes: Buffer.from(bytes) } : null;
  }

  /** false: another process has written this version, or a higher one, in the meantime. */
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
    for (const [, other, older] of this.#files(subject)) {
      if (other === keyId && Number(older) < version) rmSync(`${directory}/${keyId}.${older}.avro`, { force: true });
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
        .map((name) => FILE.exec(name))
        .filter((match) => match !== null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #page(subject: string, keyId: string, version: number): Page {
    const bytes = readFileSync(`${this.#directory}/${subject}/${keyId}.${version}.avro`);
    return { enrolment: decode('Enrolment', bytes), bytes };
  }
}

/** SPKI DER of an Ed25519 key, or null. */
export function readSigningKey(der: Buffer): ReturnType<typeof createPublicKey> | null {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    // A stranger's bytes: whatever is wrong with them, they are no key.
    return null;
  }
}
