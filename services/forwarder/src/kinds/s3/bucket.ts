import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { SinkUnavailableError } from '../../errors.ts';
import { HttpClient, oneLine } from '../../http/http-client.ts';
import type { SinkSettings, TlsSettings } from '../../settings/common.ts';
import { readSecret } from '../../settings/values.ts';

export interface BucketSettings extends TlsSettings {
  /** URL of the bucket */
  readonly url: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string | undefined;
}

/** S3 has these for an expired token, a wrong region and a slow body: none of them says that a record is wrong. */
const NO_REFUSALS = [400, 405, 411, 413] as const;

/** Writes objects to a bucket, signed with AWS Signature Version 4. */
export class Bucket {
  readonly #sink: string;
  readonly #settings: BucketSettings;
  readonly #url: string;
  readonly #client: HttpClient;

  constructor(sink: string, settings: BucketSettings, { timeout }: Pick<SinkSettings, 'timeout'>) {
    this.#sink = sink;
    this.#settings = settings;
    this.#url = settings.url.replace(/\/+$/, '');
    this.#client = new HttpClient({ sink, url: this.#url, tls: settings, timeoutMs: timeout });
  }

  /** Resolves once the store has the whole object. Rejects with SinkUnavailableError. */
  async put(name: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const { region, accessKey, secretKey, sessionToken } = this.#settings;
    const signer = new AwsV4Signer({
      method: 'PUT',
      url: `${this.#url}/${name}`,
      // The store compares the body with this hash.
      headers: { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') },
      service: 's3',
      region,
      accessKeyId: readSecret(accessKey),
      secretAccessKey: readSecret(secretKey),
      ...(sessionToken === undefined ? {} : { sessionToken: readSecret(sessionToken) }),
    });
    const { headers } = await signer.sign();
    const { status, text } = await this.#client.send({
      method: 'PUT',
      path: `/${name}`,
      body,
      headers: { 'content-type': 'application/octet-stream', ...Object.fromEntries(headers) },
      expected: NO_REFUSALS,
      signal,
    });
    if (status >= 300) throw new SinkUnavailableError(this.#sink, `${this.#url} answered ${status}: ${oneLine(text)}`);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
