import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { defined } from '@ringfence/base';

export interface HttpOptions {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of the authorities to trust. @default those of Node */
  readonly ca?: string;
  /** for the whole exchange, ms */
  readonly timeoutMs: number;
  /** of the answer */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** More came than `maxBytes`. */
export class TooMuchError extends Error {}

/**
 * One HTTP exchange. `fetch` takes no certificate authority of its own, which registries inside a house need. Redirects are not followed. Rejects with
 * what the network said, an AbortError after `timeoutMs`, or TooMuchError.
 */
export function exchangeHttp(url: URL, options: HttpOptions): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const { method, headers, body, ca, maxBytes } = options;
  const signal = AbortSignal.timeout(options.timeoutMs);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, { method, headers, signal, ...defined({ ca }) }, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) response.destroy(new TooMuchError(`more than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}
