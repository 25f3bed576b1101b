import { createSigningKey, encodeSigned, type SigningKey } from '@ringfence/wire';

type Draft = Parameters<typeof encodeSigned<'Enrolment'>>[1];

/** In-memory enrolments topic: records signed by the root key, in order, for any number of readers. */
export class EnrolmentLog {
  readonly #root: SigningKey;
  readonly #records: { readonly key: string; readonly value: Uint8Array }[] = [];
  readonly #latest = new Map<string, Draft>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #appended: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(root: SigningKey) {
    this.#root = root;
  }

  enrol(subject: string, role: string, serial: string, key: SigningKey = createSigningKey()): void {
    const publicKey = key.publicKey.export({ type: 'spki', format: 'der' });
    const at = Date.now() * 1000;
    const base = { subject, role, publicKey, signingKeyId: key.keyId, issuedAt: at, revokedAt: 0, version: 1 };
    this.#publish(serial, { ...base, certificateSerials: [serial] });
  }

  /** Revokes the certificate from `at` on, in µs since the epoch. */
  revoke(serial: string, at: number = Date.now() * 1000): void {
    const previous = this.#latest.get(serial);
    if (previous === undefined) throw new Error(`the certificate ${serial} is not enrolled`);
    this.#publish(serial, { ...previous, revokedAt: at, version: previous.version + 1 });
  }

  /** Returns the standing that the registrar would issue now, framed. `ageMs`: as it would have been then. */
  standing(ageMs = 0): Buffer {
    const now = Date.now() * 1000;
    const inForce = [...this.#latest.values()].filter(({ revokedAt }) => revokedAt === 0 || revokedAt > now);
    const members = inForce
      .filter(({ role }) => role !== 'agent')
      .map(({ subject, role, signingKeyId, certificateSerials }) => ({
        subject,
        role,
        signingKeyId,
        certificateSerials,
      }));
    return encodeSigned('Standing', { version: ++this.#version, issuedAt: now - ageMs * 1000, members }, this.#root);
  }

  /** Calls `listener` after each enrolment or revocation. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async *read({
    follow = false,
    signal,
  }: {
    readonly follow?: boolean;
    readonly signal?: AbortSignal;
  }): AsyncGenerator<{
    readonly key: string;
    readonly value: Uint8Array;
  }> {
    const stopped = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => stopped.resolve(), { once: true });
    for (let index = 0; ; ) {
      while (index < this.#records.length) yield this.#records[index++] as { key: string; value: Uint8Array };
      if (!follow) return;
      await Promise.race([this.#appended.promise, stopped.promise]);
      if (signal?.aborted) return;
    }
  }

  #publish(serial: string, draft: Draft): void {
    this.#latest.set(serial, draft);
    const value = encodeSigned('Enrolment', draft, this.#root);
    this.#records.push({ key: `${draft.subject}/${draft.signingKeyId}`, value });
    this.#appended.resolve();
    this.#appended = Promise.withResolvers();
    // Agents are in no standing.
    if (draft.role !== 'agent') for (const listener of this.#listeners) listener();
  }
}
