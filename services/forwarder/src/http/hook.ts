import { SinkSecretError } from '../errors.ts';
import type { TlsSettings } from '../settings/common.ts';
import { isPlainUrl, readSecret } from '../settings/values.ts';
import { HttpClient } from './http-client.ts';

export interface HookOptions {
  /** Name of the sink, for messages */
  readonly sink: string;
  /** Where the URL is, as `secret` has it */
  readonly reference: string;
  readonly tls: Pick<TlsSettings, 'ca' | 'cert' | 'key'>;
  /** Deadline of a request, ms */
  readonly timeoutMs: number;
  readonly insecure: boolean;
}

/** Requests to a URL that is the secret itself. It is read anew for each; messages have its host only. */
export class Hook {
  readonly #options: HookOptions;
  #url = '';
  #client: HttpClient | undefined;

  constructor(options: HookOptions) {
    this.#options = options;
  }

  /** Throws SinkSecretError if the secret is no URL, or one without TLS. */
  async post(payload: unknown, signal: AbortSignal): Promise<void> {
    const { reference, insecure, sink, tls, timeoutMs } = this.#options;
    const url = readSecret(reference);
    if (!/^https?:\/\//.test(url) || !URL.canParse(url) || (isPlainUrl(url) && !insecure))
      throw new SinkSecretError(reference, 'expected an https:// URL in it');
    if (url !== this.#url) await this.close();
    this.#url = url;
    this.#client ??= new HttpClient({ sink, url, tls, timeoutMs, shown: new URL(url).origin });
    const headers = { 'content-type': 'application/json' };
    await this.#client.send({ body: JSON.stringify(payload), headers, signal });
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
  }
}
