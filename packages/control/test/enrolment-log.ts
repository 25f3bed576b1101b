import { createSigningKey, encodeSigned, type SigningKey } from '@ringfence/wire';

type Draft = Parameters<typeof encodeSigned<'Enrolment'>>[1];

/** The topic of enrolments in memory: what was said by the root key, in order, to any number of readers. */
export class EnrolmentLog {
  readonly #root: SigningKey;
  readonly #records: { readonly key: string; readonly value: Uint8Array }[] = [];
  readonly #latest = new Map<string, Draft>();
  #more: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(root: SigningKey) {
    this.#root = root;
  }

  enrol(subject: string, role: string, serial: string, key: SigningKey = createSigningKey()): void {
    const publicKey = key.publicKey.export({ type: 'spki', format: 'der' });
    const at = Date.now() * 1000;
    const base = { subject, role, publicKey, signingKeyId: key.keyId, issuedAt: at, revokedAt: 0, version: 1 };
    this.#say(serial, { ...base, certificateSerials: [serial] });
  }

  /** From `at` on, µs since the epoch. */
  revoke(serial: string, at: number = Date.now() * 1000): void {
    const before = this.#latest.get(serial);
    if (before === undefined) throw new Error(`nobody has the certificate ${serial}`);
    this.#say(serial, { ...before, revokedAt: at, version: before.version + 1 });
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
    for (let at = 0; ; ) {
      while (at < this.#records.length) yield this.#records[at++] as { key: string; value: Uint8Array };
      if (!follow) return;
      await Promise.race([this.#more.promise, stopped.promise]);
      if (signal?.aborted) return;
    }
  }

  #say(serial: string, draft: Draft): void {
    this.#latest.set(serial, draft);
    const value = encodeSigned('Enrolment', draft, this.#root);
    this.#records.push({ key: `${draft.subject}/${draft.signingKeyId}`, value });
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
