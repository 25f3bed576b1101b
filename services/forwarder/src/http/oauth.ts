import { z } from 'zod';
import { SinkUnavailableError } from '../errors.ts';
import { readAnswer } from './answer.ts';
import { HttpClient, type HttpOptions, oneLine } from './http-client.ts';

/** A token is renewed so long before it expires, because a request takes time and clocks differ. */
const MARGIN_MS = 60_000;

const answer = z.object({ access_token: z.string().min(1).max(16_384), expires_in: z.number().positive() });

/** Access tokens of OAuth 2.0, each used until shortly before it expires. */
export class AccessToken {
  readonly #sink: string;
  readonly #client: HttpClient;
  readonly #form: () => Readonly<Record<string, string>>;
  #current: { readonly token: string; readonly until: number } | undefined;

  /** @param form returns the parameters of a request, read anew, so that secrets can be rotated */
  constructor(options: HttpOptions, form: () => Readonly<Record<string, string>>) {
    this.#sink = options.sink;
    this.#client = new HttpClient(options);
    this.#form = form;
  }

  /** Returns the header of a request. Rejects with SinkUnavailableError and SinkSecretError. */
  async header(signal: AbortSignal): Promise<{ readonly authorization: string }> {
    if (this.#current === undefined || Date.now() >= this.#current.until) this.#current = await this.#request(signal);
    return { authorization: `Bearer ${this.#current.token}` };
  }

  /** The next request gets a new token: this one may be the reason for a refusal. */
  forget(): void {
    this.#current = undefined;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #request(signal: AbortSignal): Promise<{ token: string; until: number }> {
    const response = await this.#client.send({
      body: new URLSearchParams(this.#form()).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      // OAuth refuses a wrong secret with 400 too, which says nothing about a record.
      expected: [400],
      signal,
    });
    if (response.status === 400)
      throw new SinkUnavailableError(this.#sink, `no access token: ${oneLine(response.text)}; check the credentials`);
    const { access_token: token, expires_in: seconds } = readAnswer(this.#sink, response, answer);
    return { token, until: Date.now() + seconds * 1000 - MARGIN_MS };
  }
}
